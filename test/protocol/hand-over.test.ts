import fc from 'fast-check';
import t from 'tap';
import { channelsDomain } from '../../protocol/channel.ts';
import {
  type CarriedChannel,
  type HandOver,
  handOverDigest,
  handOverTakenDigest,
  type RoamingQuery,
  roamingQueryDigest,
} from '../../protocol/hand-over.ts';
import {
  carriedText,
  decodeCarried,
  decodeQuery,
  decodeServed,
  decodeSignedCarried,
  decodeTaken,
  NO_CHANNEL,
  NOBODY,
  queryText,
  servedText,
  takenText,
} from '../../protocol/hand-over-wire.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { tickChain } from '../../protocol/payword.ts';
import { signDigest } from '../../protocol/signature.ts';
import { anchorTick } from '../../protocol/tick-voucher.ts';
import { anyAddress, anyChannelConfig, anyHex, anyUint, CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey } = testKey('device');
const HAND_OVER =
  'HandOver(bytes32 channelId,uint64 sequence,address from,address to,uint64 deposit,uint64 amount,uint64 charged,uint64 downBytes,uint64 upBytes,uint64 onlineMs,uint64 trialBytes,uint64 unitsPerMb,uint64 unitsPerMinute,uint64 openFee,uint8 isStream,uint8 isOver)';
const QUERY = 'RoamingQuery(address asker,address asked,address signer,bytes32 channelId,uint64 sequence)';
const uint64 = anyUint(64);
const SIGNATURE = `0x${'5a'.repeat(64)}` as const;

const anyHandOver: fc.Arbitrary<HandOver> = fc.record({
  channelId: anyHex(32),
  sequence: uint64,
  from: anyAddress(),
  to: anyAddress(),
  deposit: uint64,
  amount: uint64,
  charged: uint64,
  downBytes: uint64,
  upBytes: uint64,
  onlineMs: uint64,
  trialBytes: uint64,
  unitsPerMb: uint64,
  unitsPerMinute: uint64,
  openFee: uint64,
  mode: fc.constantFrom('hold' as const, 'stream' as const),
  isOver: fc.boolean(),
});
const anyQuery: fc.Arbitrary<RoamingQuery> = fc.record({
  asker: anyAddress(),
  asked: anyAddress(),
  signer: anyAddress(),
  channelId: anyHex(32),
  sequence: uint64,
});
const anyCarried: fc.Arbitrary<CarriedChannel> = fc
  .record({
    handOver: anyHandOver,
    config: anyChannelConfig(),
    ackBytes: uint64,
    coin: fc.constantFrom(undefined, 0, 3),
  })
  .map(({ handOver, config, ackBytes, coin }) => {
    const { channelId, amount } = handOver;
    const voucher = { channelId, amount, ackBytes, signature: SIGNATURE };
    if (coin === undefined) return { handOver, config, voucher };
    const words = tickChain(new Uint8Array(32).fill(4), 8);
    const anchor = hexFromBytes(words[0] as Uint8Array);
    const ticks = { channelId, amount: 5n, anchor, tickValue: 2n, ticks: 8n, signature: SIGNATURE };
    const last = coin === 0 ? anchorTick(ticks) : { index: coin, preimage: words[coin] as Uint8Array };
    return { handOver, config, voucher, ticks: { voucher: ticks, last } };
  });

t.test('hand-over, receipt and query are signed as another library signs them', (t) => {
  const domain = channelsDomain(CHANNELS);
  const runs = { numRuns: 20 };
  fc.assert(
    fc.property(anyHandOver, (handOver) => {
      const { mode, isOver, ...rest } = handOver;
      const message = { ...rest, isStream: mode === 'stream' ? 1n : 0n, isOver: isOver ? 1n : 0n };
      const digest = handOverDigest(CHANNELS, handOver);
      t.equal(signDigest(digest, secretKey), oracleSignature(domain, HAND_OVER, message, secretKey));
      const taken = oracleSignature(
        domain,
        'HandOverTaken(bytes32 handOver)',
        { handOver: hexFromBytes(digest) },
        secretKey,
      );
      t.equal(signDigest(handOverTakenDigest(CHANNELS, handOver), secretKey), taken);
    }),
    runs,
  );
  fc.assert(
    fc.property(anyQuery, (query) => {
      const signed = oracleSignature(domain, QUERY, query, secretKey);
      t.equal(signDigest(roamingQueryDigest(CHANNELS, query), secretKey), signed);
    }),
    runs,
  );
  t.end();
});

t.test('what routers send each other survives the way through JSON', (t) => {
  fc.assert(
    fc.property(anyCarried, anyQuery, (carried, query) => {
      t.same(decodeCarried(JSON.parse(carriedText(carried))), { ok: true, value: carried });
      const signed = decodeSignedCarried(JSON.parse(carriedText(carried, SIGNATURE)));
      t.same(signed, { ok: true, value: { ...carried, signature: SIGNATURE } });
      const asked = { ...query, signature: SIGNATURE };
      t.same(decodeQuery(JSON.parse(queryText(asked))), { ok: true, value: asked });
      const served = { config: carried.config, sequence: query.sequence };
      t.same(decodeServed(JSON.parse(servedText(served))), { ok: true, value: served });
    }),
    { numRuns: 20 },
  );
  t.same(decodeTaken(JSON.parse(takenText(SIGNATURE))), { ok: true, value: SIGNATURE });
  t.end();
});

t.test('what is malformed is refused with its path', (t) => {
  const [carried] = fc.sample(anyCarried, 1);
  if (carried === undefined) throw new Error('no sample');
  const text = carriedText(carried, SIGNATURE);
  const wire = JSON.parse(text) as { handOver: object };
  t.match(decodeSignedCarried({ ...wire, sig: undefined }), { ok: false, path: 'sig' });
  t.match(decodeSignedCarried({ ...wire, more: 1 }), { ok: false, path: 'more' });
  t.match(decodeCarried({ ...wire, handOver: { ...wire.handOver, sequence: 7 } }), {
    ok: false,
    path: 'handOver.sequence',
  });
  t.match(decodeCarried({ ...wire, handOver: { ...wire.handOver, mode: 'free' } }), {
    ok: false,
    path: 'handOver.mode',
  });
  t.match(decodeCarried(undefined), { ok: false });
  const query = {
    asker: NOBODY,
    asked: NOBODY,
    signer: NOBODY,
    channelId: NO_CHANNEL,
    sequence: 0n,
    signature: SIGNATURE,
  };
  const asked = JSON.parse(queryText(query)) as object;
  t.match(decodeQuery({ ...asked, channelId: '0x00' }), { ok: false, path: 'channelId' });
  t.match(decodeServed({ v: 1 }), { ok: false, path: 'config' });
  t.match(decodeTaken({ v: 2, sig: SIGNATURE }), { ok: false, path: 'v' });
  t.end();
});
