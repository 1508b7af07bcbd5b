/** Neighbours, from answers that a real kernel gave; damaged ones are refused. Seeded. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { NetlinkError } from '../../../openwrt/node-netlink/src/error.ts';
import { encodeMessage } from '../../../openwrt/node-netlink/src/message.ts';
import { decodeNeighbours, neighboursRequest } from '../../../openwrt/node-netlink/src/neighbours.ts';

const FIXTURE = new URL('../../fixtures/netlink/neighbours.json', import.meta.url);
const { answers } = JSON.parse(readFileSync(FIXTURE, 'utf8')) as { answers: Record<'ipv6' | 'ipv4' | 'none', string> };

t.test('every state that the kernel has', (t) => {
  const found = decodeNeighbours(Buffer.from(answers.ipv6, 'hex'));
  t.same(
    found.map(({ state }) => state),
    [0x04, 0x40, 0x01, 0x40, 0x80, 0x20],
  );
  t.same(found[0], { index: 2, state: 4, address: 'fd090000000000000000000000000002', link: 'aabbcc000001' });
  t.same(found[2], { index: 2, state: 1, address: 'fd090000000000000000000000000006', link: '' });
  t.match(decodeNeighbours(Buffer.from(answers.ipv4, 'hex'))[1], { address: '0a090002', link: 'aabbcc000001' });
  t.same(decodeNeighbours(Buffer.from(answers.none, 'hex')), []);
  t.end();
});

t.test('a request names family and device', (t) => {
  const request = encodeMessage(neighboursRequest(6, 7), 1).toString('hex');
  t.equal(request, '240000001e00010301000000000000000a00000000000000000000000800080007000000');
  t.equal(encodeMessage(neighboursRequest(4, 7), 1).readUInt8(16), 2);
  t.end();
});

t.test('damaged answers', (t) => {
  let refused = 0;
  const change = fc.tuple(fc.nat(523), fc.nat(255));
  const property = fc.property(fc.array(change, { maxLength: 5 }), fc.nat(524), (changes, length) => {
    const damaged = Buffer.from(answers.ipv6, 'hex').subarray(0, 524 - Math.floor(length / 2));
    for (const [at, value] of changes) if (at < damaged.length) damaged.writeUInt8(value, at);
    try {
      return decodeNeighbours(damaged).length <= damaged.length / 28;
    } catch (error) {
      refused += 1;
      return error instanceof NetlinkError;
    }
  });
  fc.assert(property, { numRuns: 3_000, seed: 20_261_123 });
  t.ok(refused > 300, `${refused} refused`);
  t.end();
});
