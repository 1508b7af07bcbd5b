import t from 'tap';
import { ENGLISH } from '../../captive-portal/page/strings.ts';
import { type Problem, problemJson, statusOf } from '../../captive-portal/problem.ts';
import { voucherJsonFromVoucher } from '../../protocol/voucher.ts';

/** Reasons only the page itself gives. */
const PAGE_ONLY = ['offline', 'not-arrived', 'offer-changed'];
const REASONS = Object.keys(ENGLISH.problems).filter((reason) => !PAGE_ONLY.includes(reason)) as Problem['reason'][];

t.test('every reason has a status that is an error, a title and a sentence', (t) => {
  for (const reason of REASONS) {
    const problem = problemJson({ reason });
    t.ok(problem.status >= 400 && problem.status < 600, reason);
    t.equal(problem.status, statusOf(reason));
    t.equal(problem.type, `urn:ssp:problem:${reason}`);
    t.equal(problem.reason, reason);
    t.ok(problem.title.length > 0);
    t.match(problem.detail, /[.]$/);
  }
  t.end();
});

t.test('every sentence fits a phone and says more than that something failed', (t) => {
  for (const [reason, text] of Object.entries(ENGLISH.problems)) {
    t.ok(text.length <= 130, `${reason}: ${text.length}`);
    t.ok(text.split('. ').length >= 2 || /: |, then|Enter your/.test(text), `${reason} says what to do`);
  }
  t.end();
});

t.test('statuses mean what HTTP means by them', (t) => {
  t.equal(statusOf('amount-not-increasing'), 409);
  t.equal(statusOf('unknown-channel'), 404);
  t.equal(statusOf('not-your-channel'), 403);
  t.equal(statusOf('chain-refused'), 402);
  t.equal(statusOf('rate-limited'), 429);
  t.equal(statusOf('storage-failed'), 503);
  t.end();
});

t.test('expected and got are told for what the guest did, never for what broke inside', (t) => {
  const details = { expected: 'a journal that can be written', got: 'SQLITE_FULL at /overlay/x.db' };
  for (const reason of ['storage-failed', 'not-selling', 'chain-unreachable', 'chain-refused', 'internal'] as const) {
    const problem = problemJson({ reason, ...details });
    t.notOk('expected' in problem || 'got' in problem, reason);
  }
  t.match(problemJson({ reason: 'amount-above-deposit', expected: 'at most 5', got: '6' }), {
    expected: 'at most 5',
    got: '6',
  });
  t.end();
});

t.test("the last voucher travels in the protocol's own form", (t) => {
  const lastVoucher = {
    channelId: `0x${'1'.repeat(64)}`,
    amount: 5n,
    ackBytes: 6n,
    signature: `0x${'2'.repeat(128)}`,
  } as const;
  t.strictSame(problemJson({ reason: 'amount-not-increasing', lastVoucher }).last, voucherJsonFromVoucher(lastVoucher));
  t.end();
});
