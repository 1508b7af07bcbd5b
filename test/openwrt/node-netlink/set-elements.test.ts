/** Elements of nftables sets, from answers that a real kernel gave (test/fixtures/netlink says which). */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { encodeMessage, messagesOf } from '../../../openwrt/node-netlink/src/message.ts';
import { decodeSetElements, setElementsRequest } from '../../../openwrt/node-netlink/src/set-elements.ts';

const FIXTURE = new URL('../../fixtures/netlink/set-elements.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { answers: Record<string, string> };
const NOTHING = { comment: undefined, bytes: 0n, packets: 0n };

function answer(name: string): Buffer {
  return Buffer.from(answers[name] ?? '', 'hex');
}

const EXPECTED: Readonly<Record<string, readonly object[]>> = {
  count_up: [
    { key: '020000000003', comment: undefined, bytes: 40n, packets: 1n },
    { key: '020000000001', comment: '7 1000 10', bytes: 4_500n, packets: 3n },
    { key: '020000000002', comment: '8 0 0', bytes: 9_007_199_254_740_993n, packets: (1n << 64n) - 1n },
  ],
  count_down4: [{ key: 'c0a84d14', comment: '7 2000 20', bytes: 3_000n, packets: 2n }],
  count_down6: [{ key: '20010db8000000000000000000000001', comment: '7 0 0', bytes: 80n, packets: 1n }],
  unbound4: [
    { key: '02000000000100000a000001', ...NOTHING },
    { key: '02000000000200000a000002', ...NOTHING },
  ],
  unbound6: [{ key: '020000000001000020010db8000000000000000000000005', ...NOTHING }],
  two_expressions: [{ key: '0a000009', comment: 'two', bytes: 600n, packets: 6n }],
  catch_all: [
    { key: '0b000000', ...NOTHING },
    { key: '0a000000', comment: undefined, bytes: 2n, packets: 1n },
    { key: '00000000', ...NOTHING },
    { key: '', comment: undefined, bytes: 4n, packets: 3n },
  ],
  quotas: [{ key: '02000000000100000a000001', ...NOTHING }],
  empty: [],
};

for (const [set, elements] of Object.entries(EXPECTED)) {
  t.test(`set ${set} is what nft was told to put into it`, (t) => {
    t.same(decodeSetElements(answer(set)), elements);
    t.end();
  });
}

t.test('a set that is not there is the kernel’s own error', (t) => {
  t.throws(() => decodeSetElements(answer('missing')), { name: 'NetlinkError', code: 'ENOENT' });
  t.end();
});

t.test('a request is what nft itself sends: family, table, set', (t) => {
  const request = encodeMessage(setElementsRequest('inet', 'shareagent', 'count_up'), 1);
  const header = '34000000 0d0a 0103 01000000 00000000';
  const table = '0f00 0100 7368617265616765 6e7400 00';
  const set = '0d00 0200 636f756e745f757000 000000';
  t.equal(request.toString('hex'), `${header} 01000000 ${table} ${set}`.replaceAll(' ', ''));
  t.equal(encodeMessage(setElementsRequest('bridge', 't', 's'), 1).readUInt8(16), 7);
  t.end();
});

t.test('a dump of two moments is not taken', (t) => {
  const flagged = answer('count_up');
  flagged.writeUInt16LE(flagged.readUInt16LE(6) | 0x10, 6);
  t.throws(() => decodeSetElements(flagged), { code: 'EINTR' }, 'as the kernel says by its flag');
  const whole = answer('count_down4');
  const [part] = [...messagesOf(whole)];
  const [head, end] = [whole.subarray(0, part?.end), whole.subarray(part?.end)];
  t.equal(decodeSetElements(Buffer.concat([head, head, end])).length, 2, 'two parts of one generation');
  const other = Buffer.from(head);
  other.writeUInt16BE(other.readUInt16BE(18) + 1, 18);
  t.throws(() => decodeSetElements(Buffer.concat([head, other, end])), { code: 'EINTR' }, 'as the generations show');
  t.end();
});

t.test('an error at the end of a dump is one', (t) => {
  const failed = answer('count_down4');
  const done = failed.length - 20;
  t.equal(failed.readUInt16LE(done + 4), 3, 'the end of the dump');
  failed.writeInt32LE(-2, done + 16);
  t.throws(() => decodeSetElements(failed), { code: 'ENOENT' });
  t.end();
});

t.test('what the kernel would not write is refused, not guessed at', (t) => {
  const bad = (change: (bytes: Buffer) => unknown): (() => unknown) => {
    const bytes = answer('count_down4');
    change(bytes);
    return () => decodeSetElements(bytes);
  };
  const malformed = { name: 'NetlinkError', code: 'EBADMSG' };
  t.throws(
    bad((bytes) => bytes.writeUInt16LE(99, 4)),
    malformed,
    'another type of message',
  );
  t.throws(
    bad((bytes) => bytes.writeUInt32LE(15, 0)),
    malformed,
    'shorter than its header',
  );
  t.throws(
    bad((bytes) => bytes.writeUInt32LE(bytes.length + 1, 0)),
    malformed,
    'longer than the answer',
  );
  t.throws(
    bad((bytes) => bytes.writeUInt16LE(3, 20)),
    malformed,
    'an attribute shorter than its header',
  );
  t.throws(
    bad((bytes) => bytes.writeUInt16LE(0xffff, 20)),
    malformed,
    'an attribute longer than its message',
  );
  const counter = answers['count_down4']?.indexOf('0c000100') ?? -1;
  t.ok(counter > 0);
  t.throws(
    bad((bytes) => bytes.writeUInt16LE(8, counter / 2)),
    malformed,
    'a counter of four bytes',
  );
  const whole = answer('count_up');
  for (let length = 0; length < whole.length; length++) {
    t.throws(() => decodeSetElements(whole.subarray(0, length)), malformed, `cut after ${length} bytes`);
  }
  t.end();
});
