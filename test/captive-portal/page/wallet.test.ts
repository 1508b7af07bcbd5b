import t from 'tap';
import {
  bytesForPurchase,
  depositsToTry,
  firstStreamAmount,
  isOwnVoucher,
  nextVoucher,
  openJsonFromRequest,
  openRequestFrom,
  type Purchase,
  paymentUri,
  secretKeyFromText,
  streamDeposit,
  streamStep,
  type Terms,
  ticketInFragment,
  ticketUrl,
} from '../../../captive-portal/page/wallet.ts';
import { termsFromJson } from '../../../captive-portal/page/wire.ts';
import { termsJson } from '../../../captive-portal/view-json.ts';
import { channelId, depositNonce } from '../../../protocol/channel.ts';
import { authorizationDigest } from '../../../protocol/funding.ts';
import { decodeOpenRequest } from '../../../protocol/open-wire.ts';
import { isQuoteSigned } from '../../../protocol/quote.ts';
import { addressFromSecretKey, recoverSigner } from '../../../protocol/signature.ts';
import { type SignedVoucher, signVoucher, voucherJsonFromVoucher, voucherSigner } from '../../../protocol/voucher.ts';
import { decodeVoucher } from '../../../protocol/voucher-wire.ts';
import { CONFIG, DEPLOYMENT, NOW_S, PASS_CODE, quote } from '../support/cafe.ts';

const SECRET_KEY = secretKeyFromText(PASS_CODE) as Uint8Array;
const GUEST_KEY_ADDRESS = addressFromSecretKey(SECRET_KEY);
const TERMS: Terms = termsFromJson(termsJson(quote(), CONFIG, NOW_S));
const PURCHASE: Purchase = {
  terms: TERMS,
  secretKey: SECRET_KEY,
  deposit: 30_000n,
  firstAmount: 10_000n,
  mode: 'hold',
  salt: `0x${'5a'.repeat(32)}`,
};

function firstVoucher(): SignedVoucher {
  const made = openRequestFrom(PURCHASE);
  if (!made.ok) throw new Error(made.reason);
  return made.request.voucher;
}

t.test('what the wallet signs is what the router verifies, through JSON', (t) => {
  const made = openRequestFrom(PURCHASE);
  if (!made.ok) throw new Error(made.reason);
  const decoded = decodeOpenRequest(JSON.parse(JSON.stringify(openJsonFromRequest(made.request))));
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.expected}, got ${decoded.got}`);
  if (!('authorization' in decoded.value)) throw new Error('expected EIP-3009');
  const { config, deposit, authorization, voucher, quote: handedBack, mode } = decoded.value;
  const id = channelId(DEPLOYMENT, config);
  t.equal(mode, 'hold');
  t.ok(isQuoteSigned(DEPLOYMENT, handedBack));
  t.match(config, {
    payer: GUEST_KEY_ADDRESS,
    signer: GUEST_KEY_ADDRESS,
    payee: quote().payee,
    device: quote().device,
  });
  t.equal(config.expiry, quote().expiry);
  t.equal(config.exitDelay, quote().exitDelay);
  t.equal(deposit, 30_000n);
  t.equal(voucher.channelId, id);
  t.equal(voucher.amount, 10_000n);
  t.equal(voucher.ackBytes, 0n);
  t.equal(voucherSigner(DEPLOYMENT, voucher), GUEST_KEY_ADDRESS);
  const { validAfter, validBefore, signature } = authorization;
  t.ok(validAfter < NOW_S && validBefore > NOW_S);
  const transfer = {
    from: config.payer,
    to: DEPLOYMENT.channels,
    value: deposit,
    validAfter,
    validBefore,
    nonce: depositNonce(id, 0n),
  };
  t.equal(recoverSigner(authorizationDigest(TERMS.tokenDomain, transfer), signature), GUEST_KEY_ADDRESS);
  t.end();
});

t.test('the open request fits well into the body limit', (t) => {
  const made = openRequestFrom(PURCHASE);
  t.ok(made.ok && JSON.stringify(openJsonFromRequest(made.request)).length < 4_096);
  t.end();
});

t.test('another salt is another channel', (t) => {
  const other = openRequestFrom({ ...PURCHASE, salt: `0x${'5b'.repeat(32)}` });
  t.ok(other.ok && other.request.voucher.channelId !== firstVoucher().channelId);
  t.end();
});

t.test('the wallet signs nothing for a quote that its device did not sign', (t) => {
  const forged = { ...TERMS, quote: { ...TERMS.quote, unitsPerMb: 1n } };
  t.match(openRequestFrom({ ...PURCHASE, terms: forged }), { ok: false, reason: 'bad-quote' });
  t.end();
});

t.test('the wallet signs nothing for a token that the quote does not name', (t) => {
  const other = { ...TERMS, tokenDomain: { ...TERMS.tokenDomain, verifyingContract: quote().payee } };
  t.match(openRequestFrom({ ...PURCHASE, terms: other }), { ok: false, reason: 'bad-quote' });
  t.end();
});

t.test('the wallet signs nothing for a token on another chain than the channels', (t) => {
  const other = { ...TERMS, tokenDomain: { ...TERMS.tokenDomain, chainId: 1n } };
  t.match(openRequestFrom({ ...PURCHASE, terms: other }), { ok: false, reason: 'bad-quote', got: 'chain 1' });
  t.end();
});

t.test('deposits and first amounts that the router would refuse are refused before signing', (t) => {
  t.match(openRequestFrom({ ...PURCHASE, deposit: 19_999n }), { ok: false, reason: 'deposit-too-small', got: '19999' });
  t.match(openRequestFrom({ ...PURCHASE, firstAmount: 499n }), {
    ok: false,
    reason: 'voucher-below-open-fee',
    got: '499',
  });
  t.match(openRequestFrom({ ...PURCHASE, firstAmount: 30_001n }), {
    ok: false,
    reason: 'amount-above-deposit',
    got: '30001',
  });
  t.end();
});

t.test('the next voucher adds to the last and acknowledges what the guest was shown', (t) => {
  const step = { deployment: DEPLOYMENT, secretKey: SECRET_KEY, depositUnits: 30_000n, addUnits: 5_000n };
  const made = nextVoucher({ ...step, last: firstVoucher(), ackBytes: 77n });
  if (!made.ok) throw new Error(made.reason);
  t.match(made.voucher, { amount: 15_000n, ackBytes: 77n, channelId: firstVoucher().channelId });
  t.equal(voucherSigner(DEPLOYMENT, made.voucher), GUEST_KEY_ADDRESS);
  t.strictSame(decodeVoucher(voucherJsonFromVoucher(made.voucher)), { ok: true, value: made.voucher });
  const after = nextVoucher({ ...step, last: made.voucher, ackBytes: 5n });
  t.ok(after.ok && after.voucher.ackBytes === 77n, 'an acknowledgement never goes back');
  t.end();
});

t.test('vouchers stop at the deposit', (t) => {
  const step = { deployment: DEPLOYMENT, secretKey: SECRET_KEY, depositUnits: 12_000n, addUnits: 5_000n, ackBytes: 0n };
  const made = nextVoucher({ ...step, last: firstVoucher() });
  if (!made.ok) throw new Error(made.reason);
  t.equal(made.voucher.amount, 12_000n);
  t.match(nextVoucher({ ...step, last: made.voucher }), { ok: false, reason: 'amount-above-deposit' });
  t.end();
});

t.test('a wallet that lost its state knows its own voucher and no other', (t) => {
  const own = firstVoucher();
  t.ok(isOwnVoucher(DEPLOYMENT, SECRET_KEY, own));
  const stranger = signVoucher(DEPLOYMENT, own, new Uint8Array(32).fill(9));
  t.notOk(isOwnVoucher(DEPLOYMENT, SECRET_KEY, stranger));
  t.notOk(isOwnVoucher(DEPLOYMENT, SECRET_KEY, { ...own, amount: 11_000n }));
  t.end();
});

t.test('paying as you go keeps one step ahead of the charge', (t) => {
  const seen = { chargedUnits: 0n, creditUnits: 2_500n, bytesRemaining: 2_500_000n, chargedPerSecond: 0n };
  t.equal(streamStep(TERMS.quote, seen), 0n, 'two steps ahead');
  t.equal(streamStep(TERMS.quote, { ...seen, chargedUnits: 1_400n, bytesRemaining: 1_100_000n }), 0n, 'one step ahead');
  t.equal(streamStep(TERMS.quote, { ...seen, chargedUnits: 1_600n, bytesRemaining: 900_000n }), 1_100n, 'back to two');
  t.equal(streamStep(TERMS.quote, { ...seen, chargedUnits: 2_500n, bytesRemaining: 0n }), 2_000n);
  t.end();
});

t.test('paying as you go takes larger steps at higher speed', (t) => {
  const fast = { chargedUnits: 10_000n, creditUnits: 20_000n, bytesRemaining: 10_000_000n, chargedPerSecond: 12_500n };
  t.equal(streamStep(TERMS.quote, fast), 40_000n);
  t.end();
});

t.test('paying as you go looks at the bytes that will pass, not only at the money', (t) => {
  const held = { chargedUnits: 0n, creditUnits: 5_000n, bytesRemaining: 100_000n, chargedPerSecond: 0n };
  t.equal(streamStep({ unitsPerMb: 1_000n, unitsPerMinute: 200n }, held), 1_900n);
  const timeOnly = { chargedUnits: 0n, creditUnits: 500n, bytesRemaining: 0n, chargedPerSecond: 0n };
  t.equal(streamStep({ unitsPerMb: 0n, unitsPerMinute: 200n }, timeOnly), 0n);
  t.equal(streamStep({ unitsPerMb: 0n, unitsPerMinute: 0n }, { ...timeOnly, creditUnits: 0n }), 2n);
  t.end();
});

t.test('a roomy deposit is tried first and the exact one after it', (t) => {
  t.strictSame(depositsToTry(TERMS.quote, 10_000n), [30_000n, 20_000n]);
  t.strictSame(depositsToTry(TERMS.quote, 50_000n), [150_000n, 50_000n]);
  t.strictSame(depositsToTry(TERMS.quote, 500n), [20_000n]);
  t.end();
});

t.test('paying as you go sets aside the largest package and starts with two steps', (t) => {
  t.equal(streamDeposit(TERMS), 50_000n);
  t.equal(streamDeposit({ ...TERMS, packages: [] }), 20_000n);
  t.equal(streamDeposit({ quote: quote({ unitsPerMb: 40_000n }), packages: [] }), 80_500n);
  t.equal(firstStreamAmount(TERMS.quote), 2_500n);
  t.end();
});

t.test('what a purchase buys is counted after the open fee and rounded down', (t) => {
  t.equal(bytesForPurchase(TERMS.quote, 10_000n, 500n), 9_500_000n);
  t.equal(bytesForPurchase({ unitsPerMb: 3n }, 10n, 0n), 3_333_333n);
  t.equal(bytesForPurchase(TERMS.quote, 400n, 500n), 0n);
  t.equal(bytesForPurchase({ unitsPerMb: 0n }, 10n, 0n), undefined);
  t.end();
});

t.test('a pass code gives the same key however it is typed, and anything else none', (t) => {
  t.strictSame(secretKeyFromText(' abcde fghjk-mnpqr stvwx '), SECRET_KEY);
  t.equal(secretKeyFromText('ABCDE'), undefined);
  t.end();
});

t.test('a request for another wallet is an ERC-20 transfer to the ticket', (t) => {
  const to = '0x00000000000000000000000000000000000000aa';
  const { token } = PURCHASE.terms.quote;
  t.equal(paymentUri(PURCHASE.terms, to, 20_000n), `ethereum:${token}@31337/transfer?address=${to}&uint256=20000`);
  t.end();
});

t.test('a ticket travels in a fragment, and nothing else is read from one', (t) => {
  const url = new URL(ticketUrl('http://portal.lan', 'ABCDEFGHJKMNPQRSTVWX'));
  t.equal(url.href, 'http://portal.lan/#t=ABCDEFGHJKMNPQRSTVWX');
  t.equal(ticketInFragment(url.hash), 'ABCDEFGHJKMNPQRSTVWX');
  for (const wrong of [
    '',
    '#',
    '#t=',
    '#t=ABC',
    `#t=${'A'.repeat(31)}`,
    '#x=ABCDEFGHJKMNPQRSTVWX',
    '#t=<b>aaaaaaaaaaaaaaaaaaaa',
  ])
    t.equal(ticketInFragment(wrong), '', wrong);
  t.end();
});
