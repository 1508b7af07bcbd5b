import fc from 'fast-check';
import t from 'tap';
import { enforcementPlan } from '../../../agent/core/enforcement.ts';
import { rateOfTrial } from '../../../agent/core/trial-share.ts';
import { LAPTOP, PHONE, Story, testChannel, testConfig } from './support/story.ts';

const share = { downBytesPerS: 250_000n, upBytesPerS: 62_500n };

t.test('all trials together stay within the share, and one more seldom changes the others', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4_096 }), (active) => {
      const { downBytesPerS, upBytesPerS } = rateOfTrial(share, active, undefined);
      return BigInt(active) * downBytesPerS <= share.downBytesPerS && BigInt(active) * upBytesPerS <= share.upBytesPerS;
    }),
  );
  t.same(rateOfTrial(share, 0, undefined), share);
  t.same(rateOfTrial(share, 1, undefined), share);
  t.same(rateOfTrial(share, 5, undefined), rateOfTrial(share, 8, undefined));
  t.same(rateOfTrial({ downBytesPerS: 1n, upBytesPerS: 1n }, 9, undefined), { downBytesPerS: 1n, upBytesPerS: 1n });
  t.same(rateOfTrial(share, 1, { downBytesPerS: 100n, upBytesPerS: 90_000n }), {
    downBytesPerS: 100n,
    upBytesPerS: 62_500n,
  });
  t.end();
});

t.test('a trial is slowed down until money is there, a payer never is', (t) => {
  const config = testConfig((usual) => ({
    ...usual,
    price: { ...usual.price, trial: { seconds: 0, perHour: 60, rate: share } },
  }));
  const story = new Story(config);
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 1_000_000n, dayS: 0n });
  story.send({ kind: 'trial-started', mac: LAPTOP, bytes: 1_000_000n, dayS: 0n });
  const grants = () => enforcementPlan(story.state, config, story.nowMs).grants;
  const half = { downBytesPerS: 125_000n, upBytesPerS: 31_250n };
  t.match(grants(), [
    { isTrial: true, rate: half },
    { isTrial: true, rate: half },
  ]);
  const channel = testChannel();
  story.send({ kind: 'channel-opening', mac: PHONE, channel });
  t.match(grants()[0], { isTrial: true }, 'money that is on its way is not there');
  story.send({ kind: 'channel-confirmed', channelId: channel.id, deposit: 10_000n });
  t.notOk('isTrial' in (grants()[0] ?? {}));
  t.notOk('rate' in (grants()[0] ?? {}));
  t.match(grants()[1], { isTrial: true, rate: share }, 'the other one has the share for itself');
  t.end();
});
