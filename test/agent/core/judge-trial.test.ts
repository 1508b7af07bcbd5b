import fc from 'fast-check';
import t from 'tap';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { bytesPerTrial, judgeTrial, type TrialRequest } from '../../../agent/core/judge-trial.ts';
import { MAX_SESSIONS, MAX_TRIAL_MACS } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { guestView } from '../../../agent/core/view.ts';
import { GUEST, LAPTOP, NOW_S, PHONE, Story, testConfig } from './support/story.ts';

const { price } = testConfig();
const DAY = 86_400n;
const dayS = NOW_S - (NOW_S % DAY);
const tablet = '02:00:00:00:00:03' as Mac;
const rate = { downBytesPerS: 250_000n, upBytesPerS: 62_500n };

type Asked = Partial<Omit<TrialRequest, 'mac'>>;
const ask = (story: Story, mac: Mac, asked: Asked = {}, terms: AgentConfig['price'] = price) =>
  judgeTrial(story.state, terms, { mac, nowS: NOW_S, nowMs: story.nowMs, ...asked });

t.test('the allowance is granted once per MAC and day', (t) => {
  const story = new Story();
  t.same(ask(story, PHONE), { ok: true, bytes: 1_000_000n, dayS });
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS });
  t.match(ask(story, PHONE), { reason: 'already-open' });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.match(ask(story, PHONE), { reason: 'trial-used', got: /this device/ });
  t.match(ask(story, PHONE, { nowS: NOW_S + DAY }), { ok: true });
  t.end();
});

t.test('and once per key, whatever MAC it comes from', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, key: GUEST, bytes: 1_000_000n, dayS });
  t.match(ask(story, LAPTOP, { key: GUEST }), { reason: 'trial-used', got: /another device/ });
  t.match(ask(story, LAPTOP, { key: `0x${'77'.repeat(20)}` }), { ok: true });
  t.match(ask(story, LAPTOP), { ok: true }, 'a page without a key is not worse off');
  t.match(ask(story, LAPTOP, { key: GUEST, nowS: NOW_S + DAY }), { ok: true });
  t.end();
});

t.test('changing the MAC gains at most what the day allows for all', (t) => {
  const story = new Story();
  for (const mac of [PHONE, LAPTOP]) story.send({ kind: 'trial-started', mac, bytes: 1_000_000n, dayS });
  t.match(ask(story, tablet), { ok: true }, 'the third gets exactly what is left');
  story.send({ kind: 'trial-started', mac: tablet, bytes: 1_000_000n, dayS });
  const fresh = '02:00:00:00:00:04' as Mac;
  t.match(ask(story, fresh), { reason: 'trial-used', got: /all devices/ });
  t.end();
});

t.test('and at most so many trials within an hour', (t) => {
  const story = new Story();
  const terms = { ...price, trialBytesPerDay: 1_000_000_000n, trial: { seconds: 0, perHour: 2, rate } };
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1n, dayS });
  story.nowMs += 1_000;
  story.send({ kind: 'trial-started', mac: LAPTOP, bytes: 1n, dayS });
  t.match(ask(story, tablet, {}, terms), {
    reason: 'trial-used',
    expected: /fewer than 2 free trials within the hour/,
  });
  t.match(ask(story, tablet, { nowMs: 1_000 + 3_600_000 }, terms), { ok: true }, 'the first is an hour ago');
  story.nowMs = 1_000 + 3_600_000;
  story.send({ kind: 'trial-started', mac: tablet, bytes: 1n, dayS });
  t.equal(story.state.trialStarts.length, 2, 'what no longer counts is not kept');
  t.end();
});

t.test('time as well as bytes, or time alone', (t) => {
  const story = new Story();
  const timed = { ...price, trial: { seconds: 300, perHour: 60, rate } };
  t.same(ask(story, PHONE, {}, timed), { ok: true, bytes: 1_000_000n, trialMs: 300_000, dayS });
  const timeOnly = { ...timed, trialBytes: 0n, trialBytesPerDay: 2_000_000_000n };
  t.equal(bytesPerTrial(timeOnly), 93_750_000n, 'what the slice of the line carries in that time');
  t.equal(bytesPerTrial({ ...timeOnly, trialBytesPerDay: 200n }), 10n, 'at most the twentieth part of a day');
  t.same(ask(story, PHONE, {}, timeOnly), { ok: true, bytes: 93_750_000n, trialMs: 300_000, dayS });
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 93_750_000n, trialMs: 300_000, dayS });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.match(ask(story, PHONE, {}, timeOnly), { reason: 'trial-used' });
  t.equal(bytesPerTrial({ ...timeOnly, trial: { ...timed.trial, seconds: 0 } }), 0n);
  t.end();
});

t.test('a trial ends when its time online is over, and the guest is told how much is left', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, trialMs: 15_000, dayS });
  story.wait(8_000);
  t.match(guestView(story.state, PHONE), { phase: 'trial', secondsRemaining: 7 });
  story.wait(6_999);
  t.equal(story.state.sessions.get(1)?.ended, undefined);
  story.wait(1);
  t.equal(story.state.sessions.get(1)?.ended, 'trial-exhausted', 'to the millisecond');
  t.match(guestView(story.state, PHONE), { phase: 'none', secondsRemaining: 0 });
  t.end();
});

t.test('an owner may give none, and a full house or full memory gives none', (t) => {
  const story = new Story();
  t.match(ask(story, PHONE, {}, { ...price, trialBytes: 0n }), { got: 'the owner gives none' });
  const trials = new Map(Array.from({ length: MAX_TRIAL_MACS }, (_, i) => [`m${i}` as Mac, { dayS, usedBytes: 0n }]));
  const request = { mac: PHONE, nowS: NOW_S, nowMs: 0 };
  t.match(judgeTrial({ ...story.state, trials }, price, request), { reason: 'trial-used' });
  const sessions = new Map(Array.from({ length: MAX_SESSIONS }, (_, i) => [i, undefined])) as never;
  t.match(judgeTrial({ ...story.state, sessions }, price, request), { reason: 'not-selling' });
  t.end();
});

/** However MACs, keys and times are mixed, what was granted stays within the day's and the hour's bound. */
t.test('no sequence of requests gains more than the stated bounds', (t) => {
  const anyRequest = fc.record({ mac: fc.nat(200), afterMs: fc.nat(400_000), isLeaving: fc.boolean() });
  const terms = {
    ...price,
    trialBytes: 1_000n,
    trialBytesPerDay: 20_000n,
    trial: { seconds: 60, perHour: 6, rate },
  };
  fc.assert(
    fc.property(fc.array(anyRequest, { maxLength: 120 }), (requests) => {
      const story = new Story();
      const given: { readonly atMs: number; readonly dayS: bigint; readonly bytes: bigint }[] = [];
      for (const { mac: number, afterMs, isLeaving } of requests) {
        story.nowMs += afterMs;
        const mac = `06:00:00:00:00:${number.toString(16).padStart(2, '0')}` as Mac;
        const nowS = NOW_S + BigInt(Math.floor(story.nowMs / 1_000));
        const judgement = judgeTrial(story.state, terms, { mac, nowS, nowMs: story.nowMs });
        if (!judgement.ok) continue;
        const { ok: _, ...grant } = judgement;
        story.send({ kind: 'trial-started', mac, ...grant });
        given.push({ atMs: story.nowMs, ...grant });
        const id = story.state.sessionByMac.get(mac);
        if (isLeaving && id !== undefined) story.send({ kind: 'session-left', sessionId: id, reason: 'guest-left' });
      }
      return given.every(({ atMs, dayS: day }) => {
        const ofDay = given.filter((other) => other.dayS === day).reduce((sum, { bytes }) => sum + bytes, 0n);
        const ofHour = given.filter((other) => other.atMs <= atMs && other.atMs > atMs - 3_600_000).length;
        return ofDay <= 20_000n && ofHour <= 6;
      });
    }),
    { numRuns: 60 },
  );
  t.end();
});
