/** Counters to readings: the base from the comment, plus what was counted since; by netlink and as nft lists them. */
import t from 'tap';
import {
  areBetween,
  CounterReader,
  type CounterSet,
  counterMeaning,
  listedElements,
} from '../../../../agent/adapters/nft/counter-reader.ts';
import type { Json, JsonObject } from '../../../../agent/adapters/nft/nft-json.ts';
import type { CounterKey, CounterReading } from '../../../../agent/core/model.ts';
import type { SetElement } from '../../../../openwrt/node-netlink/src/set-elements.ts';

const MAC = 'aa:bb:cc:00:00:01';

function listing(...elem: readonly Json[]): readonly JsonObject[] {
  return [{ set: { family: 'inet', table: 'shareagent', name: 'count_up', elem } }];
}

function element(val: Json, comment: Json, bytes: Json = 5, packets: Json = 1): JsonObject {
  return { elem: { val, comment, counter: { bytes, packets } } };
}

function nftReader(set: CounterSet = 'count_up'): (listed: readonly JsonObject[]) => CounterReading[] {
  const reader = new CounterReader(set, (text) => [text]);
  return (listed) => reader.readings(listedElements(listed));
}

t.test('a reading is the base plus what was counted', (t) => {
  const readings = [
    ...nftReader('count_up')(listing(element(MAC, '7 1000 10', 500, 3))),
    ...nftReader('count_down4')(listing(element('192.168.77.20', '7 2000 20', 0, 0))),
    ...nftReader('count_down6')(listing(element('2001:db8::1', '8 0 0', 1, 1))),
  ];
  t.same(readings, [
    { sessionId: 7, key: `up:${MAC}`, bytes: 1_500n, packets: 13n },
    { sessionId: 7, key: 'down:192.168.77.20', bytes: 2_000n, packets: 20n },
    { sessionId: 8, key: 'down:2001:db8::1', bytes: 1n, packets: 1n },
  ]);
  t.end();
});

t.test('an element made anew with another base is read with the new one, not the remembered one', (t) => {
  const readings = nftReader();
  const read = (...items: readonly Json[]) => readings(listing(...items));
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
  const readings = nftReader()(listing(...strange));
  t.same(readings, [{ sessionId: 7, key: 'up:aa:bb:cc:00:00:03', bytes: 5n, packets: 1n }]);
  t.end();
});

t.test('a set without elements, or a count that is not a number, is nothing counted', (t) => {
  const read = nftReader();
  t.same(read([{ set: { name: 'count_up' } }, { table: {} }]), []);
  const odd = [element(MAC, '7 1000 10', 'many', -1), { elem: { val: 'aa:bb:cc:00:00:02', comment: '7 2 0' } }];
  t.match(read(listing(...odd)), [
    { bytes: 1_000n, packets: 10n },
    { bytes: 2n, packets: 0n },
  ]);
  t.end();
});

t.test('the kernel’s own form gives the same readings as nft’s', (t) => {
  const cases: readonly (readonly [CounterSet, string, string])[] = [
    ['count_up', 'aabbcc000001', MAC],
    ['count_down4', 'c0a84d14', '192.168.77.20'],
    ['count_down6', '20010db8000000000000000000000001', '2001:db8::1'],
  ];
  for (const [set, key, text] of cases) {
    const { fromKernel, fromNft } = counterMeaning(set);
    const read = fromKernel([{ key, comment: '7 1000 10', bytes: 5n, packets: 1n }]);
    t.equal(read.length, 1);
    t.same(read, fromNft(listing(element(text, '7 1000 10'))));
  }
  t.end();
});

t.test('in the kernel’s form too, what we did not make gives no reading', (t) => {
  const strange: readonly SetElement[] = [
    { key: '', comment: '7 0 0', bytes: 1n, packets: 1n },
    { key: 'aabbcc000001', comment: undefined, bytes: 1n, packets: 1n },
    { key: 'aabbcc000001', comment: '7 0', bytes: 1n, packets: 1n },
    { key: 'ffffffffffff', comment: '7 0 0', bytes: 1n, packets: 1n },
    { key: 'c0a84d14', comment: '7 0 0', bytes: 1n, packets: 1n },
    { key: 'aabbcc0000010000c0a84d14', comment: '7 0 0', bytes: 1n, packets: 1n },
  ];
  t.same(counterMeaning('count_up').fromKernel(strange), []);
  t.end();
});

t.test('nft’s listing must lie between two readings, counter by counter', (t) => {
  const at = (bytes: bigint, packets = 1n, sessionId = 7, key: CounterKey = `up:${MAC}`): readonly CounterReading[] => [
    { sessionId, key, bytes, packets },
  ];
  t.equal(areBetween(at(1n), at(2n), at(3n)), true);
  t.equal(areBetween(at(2n), at(2n), at(2n)), true);
  t.equal(areBetween([], [], []), true);
  t.equal(areBetween(at(2n), at(1n), at(3n)), false, 'less than before');
  t.equal(areBetween(at(1n), at(3n), at(2n)), false, 'more than after');
  t.equal(areBetween(at(1n, 5n), at(1n, 4n), at(1n, 5n)), false, 'packets count too');
  t.equal(areBetween(at(1n), at(1n, 1n, 8), at(1n)), false, 'another session');
  t.equal(areBetween(at(1n), at(1n, 1n, 7, 'up:aa:bb:cc:00:00:02'), at(1n)), false, 'another counter');
  t.equal(areBetween([], at(1n), at(1n)), false, 'not there before');
  t.equal(areBetween(at(1n), at(1n), []), false, 'not there after');
  t.equal(areBetween(at(1n), [], at(1n)), false, 'not listed');
  t.end();
});
