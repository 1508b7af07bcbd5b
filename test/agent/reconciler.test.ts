import t from 'tap';
import { emptyState } from '../../agent/core/state.ts';
import { Reconciler } from '../../agent/reconciler.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { NOW_S, testConfig } from './core/support/story.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A kernel whose changes end when the test says so. */
function slowKernel(onReconciled: () => void = () => undefined) {
  const ends: ((error?: Error) => void)[] = [];
  const logged: string[] = [];
  const clock = new FakeClock(NOW_S);
  const reconciler = new Reconciler({
    config: testConfig(),
    clock,
    enforcer: {
      reconcile: () =>
        new Promise((resolve, reject) => {
          ends.push((error) => (error === undefined ? resolve([]) : reject(error)));
        }),
      read: () => Promise.resolve({ counters: [], unbound: [] }),
      verify: () => Promise.resolve(true),
      onEvent: () => undefined,
      close: () => Promise.resolve(),
    },
    log: { error: (_details, event) => void logged.push(event) },
    state: () => emptyState(clock.monotonicMs(), NOW_S),
    onReconciled,
  });
  const end = async (error?: Error) => {
    (ends.shift() as (error?: Error) => void)(error);
    await turn();
  };
  return { reconciler, ends, logged, end };
}

/** Its state, and what it resolved to. */
function watched(pass: Promise<string | undefined>): () => string | undefined {
  let state: string | undefined = 'waits';
  pass.then(
    (refusal) => {
      state = refusal ?? 'done';
    },
    (cause: Error) => {
      state = `rejected: ${cause.message}`;
    },
  );
  return () => state;
}

t.test('who asks during a pass waits for the next, and for no pass after that', async (t) => {
  const { reconciler, ends, end } = slowKernel();
  const first = watched(reconciler.pass());
  const shared = watched(reconciler.pass());
  await turn();
  const second = watched(reconciler.pass());
  await turn();
  t.equal(ends.length, 1, 'one at a time');
  await end();
  t.strictSame([first(), shared(), second()], ['done', 'done', 'waits']);
  const third = watched(reconciler.pass());
  await end();
  t.strictSame([second(), third()], ['done', 'waits'], 'though more is asked for all the time');
  await end();
  t.equal(third(), 'done');
  t.equal(ends.length, 0, 'nothing is done that nobody asked for');
});

t.test('a pass says of itself, and not of another, whether the kernel refused it', async (t) => {
  const { reconciler, end } = slowKernel();
  const first = watched(reconciler.pass());
  await turn();
  const second = watched(reconciler.pass());
  await end(new Error('busy'));
  t.match(first(), /cannot be changed: busy/);
  t.match(reconciler.trouble, /busy/);
  await end();
  t.equal(second(), 'done');
  t.equal(reconciler.trouble, undefined);
  await reconciler.close();
});

t.test('a listener that throws spoils its own pass and no other', async (t) => {
  let failure: Error | undefined = new Error('a reducer threw');
  const { reconciler, end } = slowKernel(() => {
    if (failure !== undefined) throw failure;
  });
  const first = watched(reconciler.pass());
  await turn();
  const second = watched(reconciler.pass());
  await end();
  t.equal(first(), 'rejected: a reducer threw');
  failure = undefined;
  await end();
  t.equal(second(), 'done');
});

t.test('closing waits for the pass under way; the one asked for does not begin', async (t) => {
  const { reconciler, ends, end } = slowKernel();
  void reconciler.pass();
  await turn();
  const second = watched(reconciler.pass());
  let isClosed = false;
  const closed = reconciler.close().then(() => {
    isClosed = true;
  });
  await turn();
  t.notOk(isClosed);
  await end();
  await closed;
  t.equal(second(), 'done');
  t.equal(ends.length, 0);
});
