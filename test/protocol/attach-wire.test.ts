import fc from 'fast-check';
import t from 'tap';
import { attachJsonFromAttach } from '../../protocol/attach.ts';
import { decodeAttach, decodeChallengeRequest } from '../../protocol/attach-wire.ts';
import { anyAddress, anyHex } from '../support/protocol-arbitraries.ts';

const GOOD = { v: 1, ch: `0x${'01'.repeat(32)}`, challenge: `0x${'02'.repeat(32)}`, sig: `0x${'03'.repeat(64)}` };
const ASKED = { v: 1, signer: `0x${'04'.repeat(20)}` };
const WORD = '32 bytes of hex (0x and 64 hex digits)';

t.test('an attach survives the way through JSON', (t) => {
  const anySigned = fc.record({ channelId: anyHex(32), challenge: anyHex(32), signature: anyHex(64) });
  fc.assert(
    fc.property(anySigned, (attach) => {
      const wire: unknown = JSON.parse(JSON.stringify(attachJsonFromAttach(attach)));
      t.same(decodeAttach(wire), { ok: true, value: attach });
    }),
    { numRuns: 30 },
  );
  t.end();
});

t.test('a challenge is asked for with an address in any case', (t) => {
  fc.assert(
    fc.property(anyAddress(), (signer) => {
      const wire = { v: 1, signer: `0x${signer.slice(2).toUpperCase()}` };
      t.same(decodeChallengeRequest(wire), { ok: true, value: { signer } });
    }),
    { numRuns: 30 },
  );
  t.end();
});

const REFUSED = [
  ['text', 'attach', '', 'Object'],
  ['another version', { ...GOOD, v: 2 }, 'v', '1'],
  ['no challenge', { ...GOOD, challenge: undefined }, 'challenge', 'string'],
  ['a challenge of 31 bytes', { ...GOOD, challenge: `0x${'02'.repeat(31)}` }, 'challenge', WORD],
  ['a channel id that is no hex', { ...GOOD, ch: `0x${'0g'.repeat(32)}` }, 'ch', WORD],
  [
    'a 65-byte signature',
    { ...GOOD, sig: `0x${'03'.repeat(65)}` },
    'sig',
    'EIP-2098 signature (0x and 128 hex digits)',
  ],
  ['a MAC of its own', { ...GOOD, mac: '02:00:00:00:00:01' }, 'mac', 'never'],
] as const;
for (const [what, input, path, expected] of REFUSED) {
  t.test(`an attach that is or has ${what} is refused`, (t) => {
    t.has(decodeAttach(input), { ok: false, path, expected });
    t.end();
  });
}

const NOT_ASKED = [
  ['nothing', undefined, '', 'Object'],
  ['another version', { ...ASKED, v: 0 }, 'v', '1'],
  ['a short signer', { ...ASKED, signer: '0x04' }, 'signer', 'address (0x and 40 hex digits)'],
  ['a list of signers', { ...ASKED, signer: [ASKED.signer] }, 'signer', 'string'],
  ['a field too many', { ...ASKED, extra: 1 }, 'extra', 'never'],
] as const;
for (const [what, input, path, expected] of NOT_ASKED) {
  t.test(`a request for a challenge that is or has ${what} is refused`, (t) => {
    t.has(decodeChallengeRequest(input), { ok: false, path, expected });
    t.end();
  });
}

t.test('no JSON makes the decoders throw', (t) => {
  fc.assert(fc.property(fc.jsonValue(), (input) => decodeAttach(input).ok === false));
  fc.assert(fc.property(fc.jsonValue(), (input) => decodeChallengeRequest(input).ok === false));
  t.end();
});
