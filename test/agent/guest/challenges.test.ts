import t from 'tap';
import { CHALLENGE_MS, MAX_CHALLENGES } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { NO_CHALLENGES, takeChallenge, withChallenge } from '../../../agent/guest/challenges.ts';

const PHONE = '02:00:00:00:00:01' as Mac;
const LAPTOP = '02:00:00:00:00:02' as Mac;
const random = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

t.test('a challenge is the random bytes it was made of, and good once', (t) => {
  const { challenges, value } = withChallenge(NO_CHALLENGES, PHONE, random(7), 0);
  t.equal(value, `0x${'07'.repeat(32)}`);
  const first = takeChallenge(challenges, PHONE, value, 1);
  t.equal(first.isGood, true);
  t.equal(takeChallenge(first.challenges, PHONE, value, 2).isGood, false);
  t.end();
});

t.test('a challenge is good only for the device that asked', (t) => {
  const { challenges, value } = withChallenge(NO_CHALLENGES, PHONE, random(7), 0);
  t.equal(takeChallenge(challenges, LAPTOP, value, 1).isGood, false);
  const both = withChallenge(challenges, LAPTOP, random(8), 1);
  const stolen = takeChallenge(both.challenges, LAPTOP, value, 2);
  t.equal(stolen.isGood, false);
  t.equal(takeChallenge(stolen.challenges, PHONE, value, 3).isGood, true, 'the other device is not disturbed');
  t.end();
});

t.test('a wrong answer uses the challenge up: guessing costs a request each', (t) => {
  const { challenges, value } = withChallenge(NO_CHALLENGES, PHONE, random(7), 0);
  const wrong = takeChallenge(challenges, PHONE, `0x${'08'.repeat(32)}`, 1);
  t.equal(wrong.isGood, false);
  t.equal(takeChallenge(wrong.challenges, PHONE, value, 2).isGood, false);
  t.end();
});

t.test('a challenge is good for a minute, and the next one takes its place', (t) => {
  const { challenges, value } = withChallenge(NO_CHALLENGES, PHONE, random(7), 0);
  t.equal(takeChallenge(challenges, PHONE, value, CHALLENGE_MS - 1).isGood, true);
  t.equal(takeChallenge(challenges, PHONE, value, CHALLENGE_MS).isGood, false);
  const again = withChallenge(challenges, PHONE, random(8), 1);
  t.equal(again.challenges.size, 1);
  t.equal(takeChallenge(again.challenges, PHONE, value, 2).isGood, false);
  t.equal(takeChallenge(again.challenges, PHONE, again.value, 2).isGood, true);
  t.end();
});

t.test('what nobody answers is forgotten: after its minute, or when there are too many', (t) => {
  const macOf = (i: number) => `02:00:00:00:${(i >> 8).toString(16)}:${(i & 255).toString(16)}` as Mac;
  const everyone = Array.from(
    { length: MAX_CHALLENGES },
    (_, i) => [macOf(i), { value: '0x01', expiresMs: 10 }] as const,
  );
  const full = withChallenge(new Map(everyone), PHONE, random(7), 9);
  t.equal(full.challenges.size, MAX_CHALLENGES);
  t.notOk(full.challenges.has(macOf(0)), 'the oldest made room');
  t.ok(full.challenges.has(macOf(1)));
  t.equal(withChallenge(full.challenges, LAPTOP, random(8), 10).challenges.size, 2);
  t.end();
});
