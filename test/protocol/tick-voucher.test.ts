import fc from 'fast-check';
import t from 'tap';
import { channelsDomain } from '../../protocol/channel.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { isLaterTick, tickChain } from '../../protocol/payword.ts';
import {
  anchorTick,
  signTickVoucher,
  tickCeiling,
  tickVoucherFault,
  tickVoucherSigner,
} from '../../protocol/tick-voucher.ts';
import { MAX_UINT64 } from '../../protocol/units.ts';
import { anyTickVoucher, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('signer');
const TYPE = 'TickVoucher(bytes32 channelId,uint64 amount,bytes32 anchor,uint32 tickValue,uint32 ticks)';
const CHAIN = tickChain(new Uint8Array(32).fill(3), 4);
const VOUCHER = {
  channelId: `0x${'01'.repeat(32)}`,
  amount: 100n,
  anchor: hexFromBytes(CHAIN[0] as Uint8Array),
  tickValue: 10n,
  ticks: 4n,
} as const;

t.test('a tick voucher is signed as another library signs it, and its signer is known', (t) => {
  fc.assert(
    fc.property(anyTickVoucher(), (voucher) => {
      const signed = signTickVoucher(CHANNELS, voucher, secretKey);
      t.equal(signed.signature, oracleSignature(channelsDomain(CHANNELS), TYPE, voucher, secretKey));
      t.equal(tickVoucherSigner(CHANNELS, signed), address);
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test('no field can be changed under the signature, nor chain or contract', (t) => {
  const signed = signTickVoucher(CHANNELS, VOUCHER, secretKey);
  const changes = [{ amount: 101n }, { tickValue: 11n }, { ticks: 5n }, { anchor: VOUCHER.channelId }];
  for (const change of changes) t.not(tickVoucherSigner(CHANNELS, { ...signed, ...change }), address);
  t.not(tickVoucherSigner({ ...CHANNELS, chainId: 1n }, signed), address);
  t.equal(tickVoucherSigner(CHANNELS, { ...signed, signature: '0x' }), undefined);
  t.end();
});

t.test('each coin is worth one tick more', (t) => {
  t.equal(tickCeiling(VOUCHER, 0), 100n);
  t.equal(tickCeiling(VOUCHER, 4), 140n);
  t.ok(isLaterTick(anchorTick(VOUCHER), { index: 4, preimage: CHAIN[4] as Uint8Array }));
  t.end();
});

const FAULTS = [
  [{ ticks: 0n }, 'ticks must be 1..256', '0'],
  [{ ticks: 257n }, 'ticks must be 1..256', '257'],
  [{ tickValue: 0n }, 'tickValue must be at least 1', '0'],
  [{ amount: MAX_UINT64 - 39n }, 'amount + ticks * tickValue must be below 2^64', '18446744073709551616'],
] as const;
for (const [change, expected, got] of FAULTS) {
  const fault = { expected, got };
  const message = `${expected}, got ${got}`;
  t.test(`not signed: ${message}`, (t) => {
    t.same(tickVoucherFault({ ...VOUCHER, ...change }), fault);
    t.throws(() => signTickVoucher(CHANNELS, { ...VOUCHER, ...change }, secretKey), { message });
    t.end();
  });
}
t.equal(tickVoucherFault({ ...VOUCHER, amount: MAX_UINT64 - 40n }), undefined);
t.equal(tickVoucherFault({ ...VOUCHER, ticks: 256n }), undefined);
