import t from 'tap';
import { judgeTrial } from '../../../agent/core/judge-trial.ts';
import { MAX_SESSIONS, MAX_TRIAL_MACS } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { LAPTOP, NOW_S, PHONE, Story, testConfig } from './support/story.ts';

const { price } = testConfig();
const dayS = NOW_S - (NOW_S % 86_400n);
const tablet = '02:00:00:00:00:03' as Mac;

t.test('the allowance is granted once per MAC and day', (t) => {
  const story = new Story();
  t.same(judgeTrial(story.state, price, PHONE, NOW_S), { ok: true, bytes: 1_000_000n, dayS });
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS });
  t.match(judgeTrial(story.state, price, PHONE, NOW_S), { reason: 'already-open' });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.match(judgeTrial(story.state, price, PHONE, NOW_S), { reason: 'trial-used', got: /this device/ });
  t.match(judgeTrial(story.state, price, PHONE, NOW_S + 86_400n), { ok: true });
  t.end();
});

t.test('changing the MAC gains at most what the day allows for all', (t) => {
  const story = new Story();
  for (const mac of [PHONE, LAPTOP, tablet]) story.send({ kind: 'trial-started', mac, bytes: 1_000_000n, dayS });
  const fresh = '02:00:00:00:00:04' as Mac;
  t.match(judgeTrial(story.state, price, fresh, NOW_S), { reason: 'trial-used', got: /all devices/ });
  t.end();
});

t.test('an owner may give none, and a full house or full memory gives none', (t) => {
  const story = new Story();
  t.match(judgeTrial(story.state, { ...price, trialBytes: 0n }, PHONE, NOW_S), { got: 'the owner gives none' });
  const trials = new Map(Array.from({ length: MAX_TRIAL_MACS }, (_, i) => [`m${i}` as Mac, { dayS, usedBytes: 0n }]));
  t.match(judgeTrial({ ...story.state, trials }, price, PHONE, NOW_S), { reason: 'trial-used' });
  const sessions = new Map(Array.from({ length: MAX_SESSIONS }, (_, i) => [i, undefined])) as never;
  t.match(judgeTrial({ ...story.state, sessions }, price, PHONE, NOW_S), { reason: 'not-selling' });
  t.end();
});
