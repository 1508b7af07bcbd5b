/** Passes over the real wire of ubus: docs/ubus.md. */
import t from 'tap';
import { onBus } from '../../support/bus-scene.ts';

t.test('pass_list and pass_create answer with codes, worth and state', async (t) => {
  const { call, treasury } = await onBus(t);
  const row = { serial: 7, code: 'ABCDE-FGHJK-MNPQR-STVWX', value_units: '50000' };
  t.match(await call('pass_list'), { passes: [{ ...row, state: 'ready', left_units: '50000' }] });
  t.match(await call('pass_create', { count: 50, value_units: '50000' }), { passes: [{ ...row, state: 'funding' }] });
  t.strictSame(treasury.asked, [['create', 50, 50_000n]]);
});

t.test('what cannot be made is refused, and nothing is asked for that is no number', async (t) => {
  const { call, treasury } = await onBus(t);
  for (const args of [
    {},
    { count: 5 },
    { value_units: '5' },
    { count: 5, value_units: '1.5' },
    { count: 5, value_units: '-1' },
  ]) {
    await t.rejects(call('pass_create', args), { message: /INVALID_ARGUMENT|invalid/i });
  }
  t.strictSame(treasury.asked, []);
  treasury.created = { ok: false, reason: 'not-enough-ssp', message: 'too little' };
  await t.rejects(call('pass_create', { count: 5, value_units: '5' }), { message: /invalid/i });
  treasury.created = { ok: false, reason: 'chain-unreachable', message: 'away' };
  await t.rejects(call('pass_create', { count: 5, value_units: '5' }), { message: /time/i });
});
