/** What looks after transactions and the float: silent while there is nothing to look after, and never thrown by a node. */
import t from 'tap';
import { emptyState } from '../../../agent/core/state.ts';
import type { ChainCosts, ChainResult } from '../../../agent/ports.ts';
import { SettlementWatch } from '../../../agent/settlement/settlement-watch.ts';

t.test('prices are asked for while there is a channel, and told to the core', async (t) => {
  const scene = watchScene();
  await scene.watch.askCosts();
  t.strictSame(scene.calls, ['time'], 'an idle router asks no price');
  scene.knobs.hasChannel = true;
  await scene.watch.askCosts();
  t.strictSame(scene.calls, ['time', 'time', 'costs']);
  t.strictSame(scene.events, [{ kind: 'costs-seen', costs: { gasPriceWei: 2n, balanceWei: 9n } }]);
  scene.knobs.costs = () => Promise.resolve({ ok: false, reason: 'unreachable', message: 'away' });
  await scene.watch.askCosts();
  t.equal(scene.events.length, 1);
});

t.test('what goes wrong is logged, and the next look comes all the same', async (t) => {
  const scene = watchScene();
  scene.knobs.tend = () => Promise.resolve({ ok: false, reason: 'unreachable', message: 'away' });
  await scene.watch.tend();
  scene.knobs.tend = () => Promise.reject(new Error('a bug'));
  await scene.watch.tend();
  scene.knobs.hasChannel = true;
  scene.knobs.costs = () => Promise.reject(new Error('a bug'));
  await scene.watch.askCosts();
  t.strictSame(scene.logged, ['transactions-not-tended', 'tending-failed', 'costs-not-read']);
});

t.test('one look at a time; the first one at the start, none after the end', async (t) => {
  const scene = watchScene();
  let answer: (result: ChainResult<{ readonly isIdle: boolean }>) => void = () => undefined;
  scene.knobs.tend = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  scene.watch.start();
  await scene.watch.tend();
  t.equal(scene.calls.filter((call) => call === 'tend').length, 1);
  answer({ ok: true, isIdle: true });
  scene.watch.close();
});

type Knobs = {
  hasChannel: boolean;
  tend: () => Promise<ChainResult<{ readonly isIdle: boolean }>>;
  costs: () => Promise<ChainResult<ChainCosts>>;
};

function watchScene() {
  const calls: string[] = [];
  const events: unknown[] = [];
  const logged: string[] = [];
  const log = (_: object, event: string) => void logged.push(event);
  const knobs: Knobs = {
    hasChannel: false,
    tend: () => Promise.resolve({ ok: true, isIdle: true }),
    costs: () => Promise.resolve({ ok: true, gasPriceWei: 2n, balanceWei: 9n }),
  };
  const watch = new SettlementWatch({
    driver: {
      get state() {
        const sessionByChannel = new Map(knobs.hasChannel ? [[`0x${'c1'.repeat(32)}` as const, 1]] : []);
        return { ...emptyState(0, 0n), sessionByChannel };
      },
      dispatch: (event) => void events.push(event),
    },
    chain: {
      tend: () => {
        calls.push('tend');
        return knobs.tend();
      },
      costs: () => {
        calls.push('costs');
        return knobs.costs();
      },
    },
    log: { info: log, warn: log, error: log },
    askTime: () => {
      calls.push('time');
      return Promise.resolve();
    },
  });
  return { calls, events, logged, watch, knobs };
}
