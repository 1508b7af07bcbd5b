import t from 'tap';
import { decodeTrialRequest } from '../../protocol/trial-wire.ts';

t.test('a trial is asked for with nothing, or with the address of a key', (t) => {
  for (const nothing of [undefined, null, {}]) t.same(decodeTrialRequest(nothing), { ok: true, value: {} });
  const key = `0x${'0a'.repeat(20)}`;
  t.same(decodeTrialRequest({ v: 1, key: key.toUpperCase().replace('X', 'x') }), { ok: true, value: { key } });
  t.end();
});

t.test('anything else is refused', (t) => {
  const key = `0x${'0a'.repeat(20)}`;
  for (const bad of ['', [1], 7, { v: 2, key }, { key }, { v: 1, key: '0x12' }, { v: 1, key, more: 1 }]) {
    t.equal(decodeTrialRequest(bad).ok, false, JSON.stringify(bad));
  }
  t.end();
});
