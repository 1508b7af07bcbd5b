import t from 'tap';
import type { ChainResult } from '../../../agent/ports.ts';
import { ChainPulse } from '../../../agent/settlement/chain-pulse.ts';
import { NODE, settled } from '../../support/agent-scene.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { NOW_S } from '../core/support/story.ts';

t.test('asked at most once a minute; a chain that refuses is there, one that throws or is silent is not', async (t) => {
  const clock = new FakeClock(NOW_S);
  let answer: () => Promise<ChainResult<{ readonly units: bigint }>> = () => Promise.resolve({ ok: true, units: 5n });
  let asked = 0;
  const balanceOf = () => {
    asked += 1;
    return answer();
  };
  const pulse = new ChainPulse({ chain: { balanceOf }, clock, payee: NODE.payee });
  const look = async () => {
    pulse.isConnected();
    await settled();
    return pulse.isConnected();
  };
  t.equal(pulse.isConnected(), undefined, 'nothing is known before the first answer');
  t.equal(await look(), true);
  t.equal(asked, 1);
  answer = () => Promise.resolve({ ok: false, reason: 'unreachable', message: 'no route' });
  t.equal(await look(), true, 'a minute has not passed');
  clock.ms += 60_000;
  t.equal(await look(), false);
  answer = () => Promise.resolve({ ok: false, reason: 'refused', message: 'no such token' });
  clock.ms += 60_000;
  t.equal(await look(), true);
  answer = () => Promise.reject(new Error('aborted'));
  clock.ms += 60_000;
  t.equal(await look(), false);
  answer = () => new Promise(() => undefined);
  clock.ms += 60_000;
  await look();
  clock.ms += 60_000;
  await look();
  t.equal(asked, 5, 'one question at a time');
});
