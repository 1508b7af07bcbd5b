/** procd's watchdog is fed by progress, not by being scheduled. */
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { feedWatchdog } from '../../../../agent/adapters/ubus/procd-watchdog.ts';

const EVERY_MS = 5;

/** Waits until `isTrue`, which is a matter of a few intervals. */
async function until(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isTrue() && performance.now() < deadline) await delay(1);
}

t.test('it is fed for as long as the loop gets on, and not when only the timer does', async (t) => {
  const fed: unknown[] = [];
  let progress = 0;
  const call = (...call: readonly unknown[]) => {
    fed.push(call);
    return Promise.resolve(undefined);
  };
  const onProblem = (error: Error) => t.fail(error.message);
  const watchdog = feedWatchdog({
    client: { call },
    instance: 'shareagent/agent',
    progress: () => progress,
    onProblem,
    everyMs: EVERY_MS,
  });
  t.teardown(() => watchdog.close());
  await until(() => fed.length === 1);
  t.same(fed, [['service', 'watchdog', { name: 'shareagent', instance: 'agent', mode: 1, timeout: 60 }]]);
  await delay(10 * EVERY_MS);
  t.equal(fed.length, 1, 'the loop stands still');
  progress = 1;
  await until(() => fed.length === 2);
  t.equal(fed.length, 2);
  watchdog.close();
  progress = 2;
  await delay(10 * EVERY_MS);
  t.equal(fed.length, 2, 'closed');
});

t.test('a bus that refuses is told of once, and again only after it had taken one', async (t) => {
  let calls = 0;
  let isRefusing = true;
  const problems: Error[] = [];
  const call = () => {
    calls += 1;
    return isRefusing ? Promise.reject(new Error('permission denied')) : Promise.resolve(undefined);
  };
  const onProblem = (error: Error) => problems.push(error);
  const watchdog = feedWatchdog({
    client: { call },
    instance: 'shareagent',
    progress: () => calls + Math.random(),
    onProblem,
    everyMs: EVERY_MS,
  });
  t.teardown(() => watchdog.close());
  await until(() => calls > 2);
  t.equal(problems.length, 1);
  t.match(problems[0], { message: 'procd’s watchdog is not fed', cause: { message: 'permission denied' } });
  isRefusing = false;
  const before = calls;
  await until(() => calls > before + 1);
  isRefusing = true;
  await until(() => problems.length === 2);
  t.equal(problems.length, 2);
});

t.test('where procd runs nothing, nothing is fed', async (t) => {
  const call = () => {
    t.fail('called');
    return Promise.resolve(undefined);
  };
  const watchdog = feedWatchdog({
    client: { call },
    instance: undefined,
    progress: Math.random,
    onProblem: () => undefined,
    everyMs: 1,
  });
  await delay(10);
  watchdog.close();
  t.pass();
});
