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

/** A sync that ends when the test says so. */
function slowSync() {
  const ends: ((error?: Error) => void)[] = [];
  const sync = () =>
    new Promise<void>((resolve, reject) => {
      ends.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  return { sync, end: (error?: Error) => (ends.shift() as (error?: Error) => void)(error) };
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

t.test('requests of one window share one transaction', async (t) => {
  const { calls, transactions } = recording();
  const commits = new GroupCommit(transactions, 1);
  await Promise.all([commits.add('a'), commits.add('b')]);
  t.strictSame(calls, ['begin', 'apply a', 'apply b', 'commit', 'sync', 'settle']);
  t.strictSame(commits.counts, { groups: 1, requests: 2 });
});

t.test('nothing is acknowledged, and nothing more is written, before the sync has ended', async (t) => {
  const { calls, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  const second = stateOf(commits.add('b'));
  const third = stateOf(commits.add('c'));
  await turn();
  t.strictSame(calls, ['begin', 'apply a', 'commit']);
  t.strictSame([first(), second(), third()], ['waits', 'waits', 'waits']);
  t.strictSame(commits.counts, { groups: 0, requests: 0 });
  end();
  await turn();
  t.strictSame([first(), second()], ['durable', 'waits']);
  await turn();
  t.strictSame(calls.slice(3), ['settle', 'begin', 'apply b', 'apply c', 'commit'], 'what came meanwhile is one group');
  end();
  await turn();
  t.strictSame([second(), third()], ['durable', 'durable']);
  t.strictSame(commits.counts, { groups: 2, requests: 3 });
});

t.test('a sync that fails rejects its group and what waits, and the journal takes nothing more', async (t) => {
  const { calls, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  const second = stateOf(commits.add('b'));
  end(ioError());
  await turn();
  t.strictSame([first(), second()], ['JOURNAL_IO', 'JOURNAL_FAILED']);
  t.notOk(calls.includes('rollback'), 'what is written stays: reopening tells');
  await t.rejects(commits.add('c'), { code: 'JOURNAL_FAILED', message: /until it is reopened.*fdatasync/ });
  t.strictSame(commits.counts, { groups: 0, requests: 0 });
});

t.test('closing makes what is written and what waits durable before it returns', async (t) => {
  const { calls, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  const second = stateOf(commits.add('b'));
  commits.close();
  t.strictSame(calls.slice(3), ['syncNow', 'settle', 'begin', 'apply b', 'commit', 'syncNow', 'settle']);
  end(ioError());
  await turn();
  t.strictSame([first(), second()], ['durable', 'durable'], 'the sync that was under way has no say any more');
  await t.rejects(commits.add('c'), { code: 'JOURNAL_CLOSED' });
});

t.test('closing a journal whose sync fails rejects what it held', async (t) => {
  const { transactions } = recording({ syncNow: ioError() });
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  const second = stateOf(commits.add('b'));
  commits.close();
  end();
  await turn();
  t.strictSame([first(), second()], ['JOURNAL_IO', 'JOURNAL_FAILED']);
});

t.test('who reads waits for the sync that is under way, once', async (t) => {
  const { calls, fails, transactions } = recording();
  const { sync, end } = slowSync();
  const commits = new GroupCommit({ ...transactions, sync }, 0);
  const first = stateOf(commits.add('a'));
  await turn();
  commits.finishSync();
  commits.finishSync();
  t.strictSame(calls.slice(3), ['syncNow', 'settle']);
  end();
  await turn();
  t.equal(first(), 'durable');
  t.strictSame(commits.counts, { groups: 1, requests: 1 }, 'counted once');
  fails.syncNow = ioError();
  const second = stateOf(commits.add('b'));
  await turn();
  t.throws(() => commits.finishSync(), { code: 'JOURNAL_IO' });
  await turn();
  t.equal(second(), 'JOURNAL_IO');
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
