/** Counters as nft lists them to readings: the base from the comment, plus what was counted since. */
import t from 'tap';
import { CounterReader } from '../../../../agent/adapters/nft/counter-reader.ts';
import type { Json, JsonObject } from '../../../../agent/adapters/nft/nft-json.ts';

const MAC = 'aa:bb:cc:00:00:01';

function listing(...elem: readonly Json[]): readonly JsonObject[] {
  return [{ set: { family: 'inet', table: 'shareagent', name: 'count_up', elem } }];
}

function element(val: Json, comment: Json, bytes: Json = 5, packets: Json = 1): JsonObject {
  return { elem: { val, comment, counter: { bytes, packets } } };
}

t.test('a reading is the base plus what was counted', (t) => {
  const readings = new CounterReader().readings([
    { set: 'count_up', listed: listing(element(MAC, '7 1000 10', 500, 3)) },
    { set: 'count_down4', listed: listing(element('192.168.77.20', '7 2000 20', 0, 0)) },
    { set: 'count_down6', listed: listing(element('2001:db8::1', '8 0 0', 1, 1)) },
  ]);
  t.same(readings, [
    { sessionId: 7, key: `up:${MAC}`, bytes: 1_500n, packets: 13n },
    { sessionId: 7, key: 'down:192.168.77.20', bytes: 2_000n, packets: 20n },
    { sessionId: 8, key: 'down:2001:db8::1', bytes: 1n, packets: 1n },
  ]);
  t.end();
});

t.test('an element made anew with another base is read with the new one, not the remembered one', (t) => {
  const reader = new CounterReader();
  const read = (...items: readonly Json[]) => reader.readings([{ set: 'count_up', listed: listing(...items) }]);
  t.match(read(element(MAC, '7 1000 0', 5)), [{ sessionId: 7, bytes: 1_005n }]);
  t.match(read(element(MAC, '7 1000 0', 6)), [{ sessionId: 7, bytes: 1_006n }]);
  t.match(read(element(MAC, '9 0 0', 7)), [{ sessionId: 9, bytes: 7n }], 'the MAC is another session’s now');
  t.same(read(), []);
  t.match(read(element(MAC, '7 1000 0', 8)), [{ sessionId: 7, bytes: 1_008n }]);
  t.end();
});

t.test('what we did not make gives no reading and does not hide ours', (t) => {
  const strange: readonly Json[] = [
    MAC,
    null,
    5,
    { elem: null },
    element(MAC, null),
    element('aa:bb:cc:00:00:02', 'hello'),
    element('ff:ff:ff:ff:ff:ff', '7 0 0'),
    element('accept', '7 0 0'),
    element({ concat: [MAC, '192.168.77.20'] }, '7 0 0'),
    element('aa:bb:cc:00:00:03', '7 0 0'),
  ];
  const readings = new CounterReader().readings([{ set: 'count_up', listed: listing(...strange) }]);
  t.same(readings, [{ sessionId: 7, key: 'up:aa:bb:cc:00:00:03', bytes: 5n, packets: 1n }]);
  t.end();
});

t.test('a set without elements, or a count that is not a number, is nothing counted', (t) => {
  const reader = new CounterReader();
  t.same(reader.readings([{ set: 'count_up', listed: [{ set: { name: 'count_up' } }, { table: {} }] }]), []);
  const odd = [element(MAC, '7 1000 10', 'many', -1), { elem: { val: 'aa:bb:cc:00:00:02', comment: '7 2 0' } }];
  t.match(reader.readings([{ set: 'count_up', listed: listing(...odd) }]), [
    { bytes: 1_000n, packets: 10n },
    { bytes: 2n, packets: 0n },
  ]);
  t.end();
});
