import { mock } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import {
  GroupCommit,
  MAX_WAITING_COMMITS,
  type Transactions,
} from '../../../../agent/adapters/journal/group-commit.ts';
import { JournalError } from '../../../../agent/adapters/journal/journal-error.ts';

/** Transactions that note what was asked of them, and fail where the test says so. */
function recording(fails: Partial<Record<keyof Transactions<string>, Error>> = {}) {
  const calls: string[] = [];
  const note = (name: keyof Transactions<string>) => (request?: string) => {
    calls.push(request === undefined ? name : `${name} ${request}`);
    const failure = fails[name];
    if (failure !== undefined) throw failure;
  };
  const transactions: Transactions<string> = {
    begin: note('begin'),
    apply: note('apply'),
    commit: note('commit'),
    rollback: note('rollback'),
    sync: () => new Promise((resolve) => resolve(note('sync')())),
    syncNow: note('syncNow'),
    settle: note('settle'),
  };
  return { calls, transactions, fails };
}

/** Syncs that end when the test says so: the oldest, or the `nth` of those under way. */
function slowSync() {
  const ends: ((error?: Error) => void)[] = [];
  const sync = () =>
    new Promise<void>((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  return { sync, end: (error?: Error, nth = 0) => ends.splice(nth, 1)[0]?.(error) };
}

/** What has come of a promise so far. */
function stateOf(promise: Promise<void>): () => string {
  let state = 'waits';
  promise.then(
    () => {
      state = 'durable';
    },
    (error: JournalError) => {
      state = error.code;
    },
  );
  return () => state;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ioError = () => Object.assign(new Error('i/o error, fdatasync'), { code: 'EIO' });

const sqliteError = (code: string) => Object.assign(new Error('disk I/O error'), { code });

/** A commit whose syncs end when the test says so, with two groups written: both syncs are under way. */
async function twoUnderWay(fails: Partial<Record<keyof Transactions<string>, Error>> = {}) {
  const recorded = recording(fails);
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...recorded.transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  const second = stateOf(commits.add('b'));
  await turn();
  const states = () => [first(), second()];
  return { ...recorded, commits, end, states };
}

t.test('requests of one turn share one transaction', async (t) => {
  const { calls, transactions } = recording();
  const commits = new GroupCommit(transactions, 60_000);
  await Promise.all([commits.add('a'), commits.add('b')]);
  t.strictSame(calls, ['begin', 'apply a', 'apply b', 'commit', 'sync', 'settle']);
  t.strictSame(commits.counts, { groups: 1, requests: 2 });
});

t.test('the next group gathers for a window, and need not wait for the sync of the one before', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  const { calls, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 60_000);
  const first = commits.add('a');
  await turn();
  const second = commits.add('b');
  await turn();
  t.equal(calls.length, 3, 'not at once');
  const third = commits.add('c');
  mock.timers.tick(60_000);
  t.strictSame(calls.slice(3), ['begin', 'apply b', 'apply c', 'commit'], 'before the sync has ended');
  end();
  end();
  await Promise.all([first, second, third]);
});

t.test('who has waited for a window and for a free sync is written when a sync ends', async (t) => {
  const { calls, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 1);
  const all = [commits.add('a')];
  for (const [request, length] of [['b', 3] as const, ['c', 6] as const]) {
    while (calls.length < length) await delay(1);
    all.push(commits.add(request));
  }
  await delay(5);
  t.equal(calls.length, 6, 'two syncs are under way');
  end();
  while (calls.length < 10) await delay(1);
  t.strictSame(calls.slice(6), ['settle', 'begin', 'apply c', 'commit']);
  end();
  end();
  await Promise.all(all);
});

t.test('nothing is acknowledged before its sync has ended, and two are under way at most', async (t) => {
  const { calls, commits, end, states } = await twoUnderWay();
  const third = stateOf(commits.add('c'));
  const fourth = stateOf(commits.add('d'));
  await turn();
  t.strictSame(calls, ['begin', 'apply a', 'commit', 'begin', 'apply b', 'commit']);
  t.strictSame([...states(), third(), fourth()], ['waits', 'waits', 'waits', 'waits']);
  t.strictSame(commits.counts, { groups: 0, requests: 0 });
  end();
  await turn();
  t.strictSame([...states(), third()], ['durable', 'waits', 'waits']);
  await turn();
  t.strictSame(calls.slice(6), ['settle', 'begin', 'apply c', 'apply d', 'commit'], 'what came meanwhile is one group');
  end();
  end();
  await turn();
  t.strictSame([...states(), third(), fourth()], ['durable', 'durable', 'durable', 'durable']);
  t.strictSame(commits.counts, { groups: 3, requests: 4 });
});

t.test('a group is acknowledged after those before it, though its sync ends first', async (t) => {
  const { calls, commits, end, states } = await twoUnderWay();
  end(undefined, 1);
  await turn();
  t.strictSame(states(), ['waits', 'waits']);
  t.notOk(calls.includes('settle'));
  end();
  await turn();
  t.strictSame(states(), ['durable', 'durable']);
  t.strictSame(commits.counts, { groups: 2, requests: 2 });
});

t.test(
  'a sync that fails rejects all that is written and all that waits, and the journal takes nothing more',
  async (t) => {
    for (const failing of [0, 1]) {
      const { calls, commits, end, states } = await twoUnderWay();
      const third = stateOf(commits.add('c'));
      end(ioError(), failing);
      await turn();
      t.strictSame([...states(), third()], ['JOURNAL_IO', 'JOURNAL_IO', 'JOURNAL_FAILED']);
      end();
      await turn();
      t.strictSame(states(), ['JOURNAL_IO', 'JOURNAL_IO'], 'the other sync has no say any more');
      t.notOk(calls.includes('rollback'), 'what is written stays: reopening tells');
      t.notOk(calls.includes('settle'), 'the store is not touched again');
      await t.rejects(commits.add('d'), { code: 'JOURNAL_FAILED', message: /until it is reopened.*fdatasync/ });
      t.strictSame(commits.counts, { groups: 0, requests: 0 });
    }
  },
);

t.test('a commit that fails leaves a group whose sync is under way to that sync', async (t) => {
  const { fails, calls, commits, end, states } = await twoUnderWay();
  end();
  await turn();
  fails.commit = sqliteError('SQLITE_IOERR_WRITE');
  await t.rejects(commits.add('c'), { code: 'JOURNAL_IO' });
  const before = calls.length;
  end();
  await turn();
  t.strictSame(states(), ['durable', 'durable']);
  t.equal(calls.length, before, 'the store is not touched again');
});

t.test('closing makes what is written and what waits durable before it returns', async (t) => {
  const { calls, commits, end, states } = await twoUnderWay();
  const third = stateOf(commits.add('c'));
  commits.close();
  t.strictSame(calls.slice(6), ['syncNow', 'settle', 'begin', 'apply c', 'commit', 'syncNow', 'settle']);
  end(ioError());
  await turn();
  t.strictSame([...states(), third()], ['durable', 'durable', 'durable'], 'a sync of before has no say any more');
  await t.rejects(commits.add('d'), { code: 'JOURNAL_CLOSED' });
});

t.test('closing a journal whose sync fails rejects what it held', async (t) => {
  const { commits, end, states } = await twoUnderWay({ syncNow: ioError() });
  const third = stateOf(commits.add('c'));
  commits.close();
  end();
  await turn();
  t.strictSame([...states(), third()], ['JOURNAL_IO', 'JOURNAL_IO', 'JOURNAL_FAILED']);
});

t.test('who reads waits for all that is written, once', async (t) => {
  const { calls, fails, commits, end, states } = await twoUnderWay();
  commits.finishSync();
  commits.finishSync();
  t.strictSame(calls.slice(6), ['syncNow', 'settle']);
  const third = stateOf(commits.add('c'));
  await turn();
  t.strictSame([...states(), third()], ['durable', 'durable', 'waits']);
  t.equal(calls.length, 8, 'both syncs are still under way');
  end();
  end();
  await turn();
  await turn();
  t.strictSame(commits.counts, { groups: 2, requests: 2 }, 'counted once');
  fails.syncNow = ioError();
  t.throws(() => commits.finishSync(), { code: 'JOURNAL_IO' });
  await turn();
  t.equal(third(), 'JOURNAL_IO');
});

t.test('a sync that fails after another made its group durable stops the journal all the same', async (t) => {
  const { commits, end, states } = await twoUnderWay();
  commits.finishSync();
  end(ioError());
  await turn();
  t.strictSame(states(), ['durable', 'durable']);
  await t.rejects(commits.add('c'), { code: 'JOURNAL_FAILED' });
});

t.test('after a failed commit every request of the group is rejected and nothing more is accepted', async (t) => {
  const { calls, transactions } = recording({ commit: sqliteError('SQLITE_IOERR_FSYNC') });
  const commits = new GroupCommit(transactions, 0);
  const results = await Promise.allSettled([commits.add('a'), commits.add('b')]);
  t.match(results, [
    { status: 'rejected', reason: { code: 'JOURNAL_IO', message: /SQLITE_IOERR_FSYNC/ } },
    { status: 'rejected', reason: { code: 'JOURNAL_IO' } },
  ]);
  t.strictSame(calls, ['begin', 'apply a', 'apply b', 'commit', 'rollback']);
  await t.rejects(commits.add('c'), { code: 'JOURNAL_FAILED', message: /until it is reopened.*SQLITE_IOERR_FSYNC/ });
  t.equal(calls.length, 5, 'the store is not touched again');
  t.strictSame(commits.counts, { groups: 0, requests: 0 });
});

t.test('a full disk rejects the group but not the next one', async (t) => {
  const { fails, transactions } = recording({ commit: sqliteError('SQLITE_FULL') });
  const commits = new GroupCommit(transactions, 0);
  await t.rejects(commits.add('a'), { code: 'JOURNAL_FULL' });
  delete fails.commit;
  await commits.add('b');
});

t.test('a failed checkpoint leaves the durable group acknowledged and stops the journal', async (t) => {
  const { transactions } = recording({ settle: sqliteError('SQLITE_IOERR_FSYNC') });
  const commits = new GroupCommit(transactions, 0);
  await commits.add('a');
  await t.rejects(commits.add('b'), { code: 'JOURNAL_FAILED' });
});

t.test('an entry that throws is refused alone; damage found while storing stops everything', async (t) => {
  const { fails, transactions } = recording({ apply: new RangeError('hex text must be pairs') });
  const commits = new GroupCommit(transactions, 0);
  await t.rejects(commits.add('a'), { code: 'JOURNAL_REFUSED', message: /hex text/ });
  fails.apply = sqliteError('SQLITE_CONSTRAINT_CHECK');
  await t.rejects(commits.add('b'), { code: 'JOURNAL_REFUSED' });
  fails.apply = new JournalError('JOURNAL_REFUSED', 'no');
  await t.rejects(commits.add('c'), { message: 'no' });
  fails.apply = sqliteError('SQLITE_CORRUPT');
  await t.rejects(commits.add('d'), { code: 'JOURNAL_CORRUPT' });
  await t.rejects(commits.add('e'), { code: 'JOURNAL_FAILED' });
});

t.test('more than the bound may not wait', async (t) => {
  const { transactions } = recording();
  const commits = new GroupCommit(transactions, 0);
  const waiting = Array.from({ length: MAX_WAITING_COMMITS }, () => commits.add('a'));
  await t.rejects(commits.add('b'), { code: 'JOURNAL_OVERLOADED' });
  await Promise.all(waiting);
});

t.test('what is added while a failing group is settled is rejected too', async (t) => {
  const { transactions } = recording({ settle: sqliteError('SQLITE_IOERR_WRITE') });
  const late: Promise<unknown>[] = [];
  const settle = (): void => {
    late.push(t.rejects(commits.add('late'), { code: 'JOURNAL_FAILED' }));
    transactions.settle();
  };
  const commits = new GroupCommit<string>({ ...transactions, settle }, 0);
  await commits.add('a');
  t.equal(late.length, 1);
  await Promise.all(late);
});
