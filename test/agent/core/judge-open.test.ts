import t from 'tap';
import { judgeOpen } from '../../../agent/core/judge-open.ts';
import { MAX_OPENS_PER_HOUR, MAX_OPENS_PER_MAC_PER_HOUR, MAX_SESSIONS } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { channelId } from '../../../protocol/channel.ts';
import type { OpenRequest } from '../../../protocol/open-wire.ts';
import { DEVICE, GUEST, LAPTOP, NOW_S, PAYEE, PHONE, Story, testConfig, testVoucher } from './support/story.ts';

const config = testConfig();
const node = { device: DEVICE, payee: PAYEE };
const signature = `0x${'01'.repeat(64)}` as const;

function openRequest(change: (request: OpenRequest) => OpenRequest = (request) => request): OpenRequest {
  const quote = {
    device: DEVICE,
    payee: PAYEE,
    token: config.chain.token,
    unitsPerMb: 10n,
    unitsPerMinute: 0n,
    minDeposit: 1_000n,
    openFee: 50n,
    exitDelay: 3_600n,
    expiry: NOW_S + 86_400n,
    validUntil: NOW_S + 600n,
    nonce: `0x${'09'.repeat(32)}` as const,
    signature,
  };
  const channel = {
    payer: GUEST,
    signer: GUEST,
    payee: PAYEE,
    device: DEVICE,
    expiry: quote.expiry,
    exitDelay: quote.exitDelay,
    salt: `0x${'05'.repeat(32)}` as const,
  };
  const id = channelId({ chainId: config.chain.chainId, channels: config.chain.channels }, channel);
  return change({
    mode: 'stream',
    quote,
    config: channel,
    deposit: 5_000n,
    authorization: { validAfter: 0n, validBefore: NOW_S + 600n, signature },
    voucher: testVoucher(50n, id),
  });
}

const judge = (request: OpenRequest, story = new Story(), nowS: bigint | undefined = NOW_S, mac: Mac = PHONE) =>
  judgeOpen(story.state, config, node, mac, request, story.nowMs, nowS);

t.test('a request that follows the quote becomes a pending channel at the quoted price', (t) => {
  const judgement = judge(openRequest());
  t.match(judgement, {
    ok: true,
    channel: {
      phase: 'pending',
      deposit: 0n,
      mode: 'stream',
      openFee: 50n,
      tariff: { unitsPerMb: 10n, unitsPerMinute: 0n },
    },
  });
  t.end();
});

t.test('the least deposit, all of it promised, in the last second of the quote, is taken', (t) => {
  const request = openRequest((r) => ({ ...r, deposit: 1_000n, voucher: { ...r.voucher, amount: 1_000n } }));
  t.match(judge(request, new Story(), NOW_S + 600n), { ok: true });
  t.end();
});

t.test('each way to leave the quote is refused with what was expected', (t) => {
  t.match(judge(openRequest((r) => ({ ...r, quote: { ...r.quote, device: GUEST } }))), { reason: 'bad-quote' });
  t.match(judge(openRequest((r) => ({ ...r, quote: { ...r.quote, token: GUEST } }))), { reason: 'bad-quote' });
  t.match(judge(openRequest(), new Story(), NOW_S + 601n), { reason: 'quote-expired', got: '1 s too old' });
  const ways: readonly [Partial<OpenRequest['config']>, string][] = [
    [{ payee: GUEST }, `payee ${PAYEE}`],
    [{ device: GUEST }, `device ${DEVICE}`],
    [{ expiry: NOW_S + 86_399n }, `expiry ${NOW_S + 86_400n}`],
    [{ exitDelay: 3_599n }, 'exitDelay 3600'],
  ];
  for (const [way, expected] of ways) {
    const refused = judge(openRequest((r) => ({ ...r, config: { ...r.config, ...way } })));
    t.match(refused, { reason: 'config-mismatch', expected: `${expected} as quoted` });
  }
  t.match(judge(openRequest((r) => ({ ...r, voucher: testVoucher(50n) }))), { reason: 'config-mismatch' });
  t.match(judge(openRequest((r) => ({ ...r, deposit: 999n }))), { reason: 'deposit-too-small', got: '999' });
  t.match(judge(openRequest((r) => ({ ...r, voucher: { ...r.voucher, amount: 49n } }))), {
    reason: 'voucher-below-open-fee',
  });
  t.match(judge(openRequest((r) => ({ ...r, voucher: { ...r.voucher, amount: 5_001n } }))), {
    reason: 'config-mismatch',
  });
  t.match(judge(openRequest((r) => ({ ...r, voucher: { ...r.voucher, ackBytes: 1n } }))), {
    reason: 'config-mismatch',
  });
  t.end();
});

t.test('no quote is too old while the clock is not trusted', (t) => {
  t.match(judge(openRequest(), new Story(), undefined), { ok: true });
  t.end();
});

t.test('an open that failed may be asked for again', (t) => {
  const story = new Story();
  const first = judge(openRequest(), story);
  if (!first.ok) throw new Error('the first open must pass');
  story.send({ kind: 'channel-opening', mac: PHONE, channel: first.channel });
  t.match(judge(openRequest(), story), { reason: 'already-open' });
  story.send({ kind: 'channel-failed', channelId: first.channel.id });
  t.match(judge(openRequest(), story), { ok: true });
  t.end();
});

t.test('a device with an open channel cannot open another, nor the same one again', (t) => {
  const story = new Story();
  story.paid();
  t.match(judge(openRequest(), story), { reason: 'already-open' });
  const again = new Story();
  const first = judge(openRequest(), again);
  if (!first.ok) throw new Error('the first open must pass');
  again.send({ kind: 'channel-opening', mac: LAPTOP, channel: first.channel });
  t.match(judge(openRequest(), again), { reason: 'already-open', got: first.channel.id });
  t.end();
});

t.test('opens are bounded for each MAC, for all together, and by the number of sessions', (t) => {
  const story = new Story();
  const opens = (count: number, mac: Mac) => Array.from({ length: count }, () => ({ mac, atMs: story.nowMs }));
  const withOpens = (count: number, mac: Mac) =>
    Object.assign(new Story(), { state: { ...story.state, opens: opens(count, mac) } });
  t.match(judge(openRequest(), withOpens(MAX_OPENS_PER_MAC_PER_HOUR - 1, PHONE)), { ok: true });
  t.match(judge(openRequest(), withOpens(MAX_OPENS_PER_MAC_PER_HOUR, PHONE)), { reason: 'too-many-opens' });
  t.match(judge(openRequest(), withOpens(MAX_OPENS_PER_HOUR, LAPTOP)), {
    reason: 'too-many-opens',
    expected: /in all/,
  });
  const pull = Object.assign(openRequest(), { pull: true });
  t.match(
    judge(pull, withOpens(MAX_OPENS_PER_HOUR, LAPTOP)),
    { ok: true },
    'whose wallet pays its own gas waits for nobody',
  );
  const id = story.paid();
  const session = story.state.sessions.get(id);
  const full = new Map(Array.from({ length: MAX_SESSIONS }, (_, i) => [i + 1, session]));
  const crowded = Object.assign(new Story(), { state: { ...new Story().state, sessions: full as never } });
  t.match(judge(openRequest(), crowded), { reason: 'not-selling' });
  t.end();
});

t.test('no channel is opened that the gas key could not close again', (t) => {
  const story = new Story();
  const costs = { gasPriceWei: 3n, balanceWei: 629_999n };
  story.send({ kind: 'costs-seen', costs });
  t.match(judge(openRequest(), story), { ok: false, reason: 'not-selling', expected: /630000 wei .* send it coin/ });
  t.match(
    judge(Object.assign(openRequest(), { pull: true }), story),
    { reason: 'not-selling' },
    'nor one that it would not open',
  );
  story.send({ kind: 'costs-seen', costs: { ...costs, balanceWei: 630_000n } });
  t.equal(judge(openRequest(), story).ok, true);
  t.end();
});
