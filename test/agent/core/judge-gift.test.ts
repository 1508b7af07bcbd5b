import t from 'tap';
import { judgeGift } from '../../../agent/core/judge-gift.ts';
import { PHONE, Story, testConfig } from './support/story.ts';

const DAY = 86_400n;
const price = { ...testConfig().price, giftBytesPerDay: 10n };

function having(bytes: bigint, dayS: bigint): Story {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1n, dayS: 0n });
  if (bytes > 0n) story.send({ kind: 'session-extended', sessionId: 1, bytes, dayS });
  return story;
}

t.test('gifts of one day stay below its bound, whoever gets them', (t) => {
  t.same(judgeGift(having(0n, 0n).state, price, 10n, DAY + 5n), { isAllowed: true, leftBytes: 10n, dayS: DAY });
  t.same(judgeGift(having(0n, 0n).state, price, 11n, DAY), { isAllowed: false, leftBytes: 10n, dayS: DAY });
  const { state } = having(7n, DAY);
  t.same(judgeGift(state, price, 3n, DAY + 9n), { isAllowed: true, leftBytes: 3n, dayS: DAY });
  t.match(judgeGift(state, price, 4n, DAY + 9n), { isAllowed: false });
  t.match(judgeGift(state, price, 10n, 2n * DAY), { isAllowed: true }, 'the next day has its own');
  t.end();
});

t.test('a clock that steps back over midnight gives no fresh day, a smaller bound nothing more', (t) => {
  const { state } = having(7n, 5n * DAY);
  t.same(judgeGift(state, price, 4n, 4n * DAY), { isAllowed: false, leftBytes: 3n, dayS: 5n * DAY });
  t.same(judgeGift(state, { ...price, giftBytesPerDay: 5n }, 1n, 5n * DAY), {
    isAllowed: false,
    leftBytes: 0n,
    dayS: 5n * DAY,
  });
  t.match(
    judgeGift(state, price, 10n, DAY),
    { isAllowed: true, dayS: DAY },
    'a clock that was years ahead blocks nothing',
  );
  t.end();
});

t.test('without a bound of its own a gift has that of the trials', (t) => {
  const { giftBytesPerDay: _, ...usual } = price;
  t.equal(judgeGift(new Story().state, usual, 1n, DAY).leftBytes, usual.trialBytesPerDay);
  t.end();
});

t.test('several gifts of a day add up in the state, and lift the time of a trial', (t) => {
  const story = new Story();
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000n, trialMs: 60_000, dayS: 0n });
  for (const bytes of [3n, 4n]) story.send({ kind: 'session-extended', sessionId: 1, bytes, dayS: DAY });
  t.same(story.state.gifts, { dayS: DAY, bytes: 7n });
  t.notOk('trialMs' in (story.state.sessions.get(1) ?? { trialMs: 0 }));
  story.send({ kind: 'session-extended', sessionId: 1, bytes: 1n, dayS: 2n * DAY });
  t.same(story.state.gifts, { dayS: 2n * DAY, bytes: 1n });
  t.end();
});
