import { deepStrictEqual } from 'node:assert/strict';
import { statSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { channel, proofChain, sessionEntry, trialEntry } from './entries.ts';
import { activeChannel, openIn, sample } from './open-journal.ts';

t.test('every kind of fact reads back as it was committed, after reopening', async (t) => {
  const facts = fc.record({
    channels: fc.uniqueArray(channel, { maxLength: 6, selector: ({ id }) => id }),
    sessions: fc.uniqueArray(sessionEntry, { maxLength: 6, selector: ({ session }) => session.id }),
    trials: fc.uniqueArray(trialEntry, { maxLength: 6, selector: ({ mac }) => mac }),
    chain: proofChain,
    receipts: fc.nat(8),
  });
  await fc.assert(
    fc.asyncProperty(facts, async ({ channels, sessions, trials, chain, receipts }) => {
      const { journal, path } = openIn(t, { windowMs: 0 });
      await journal.commit([
        ...channels.map((it) => ({ kind: 'channel' as const, channel: it })),
        ...sessions,
        ...trials,
      ]);
      for (const { record, body } of chain) await journal.commit([{ kind: 'proof', record, body }]);
      const received = chain.slice(0, receipts);
      for (const { receipt } of received) await journal.commit([{ kind: 'receipt', digest: receipt.proof, receipt }]);
      journal.close();

      const reopened = new SqliteJournal({ path });
      const records = chain.map(({ record, receipt }, i) => (i < receipts ? { ...record, receipt } : record));
      const last = records.at(-1);
      deepStrictEqual(reopened.load(), {
        channels,
        sessions: sessions
          .map(({ session, counters }) => ({ session, counters }))
          .sort((a, b) => a.session.id - b.session.id),
        trials: trials
          .map(({ mac, dayS, usedBytes }) => ({ mac, dayS, usedBytes }))
          .sort((a, b) => (a.mac < b.mac ? -1 : 1)),
        ...(last === undefined ? {} : { lastProof: last }),
      });
      deepStrictEqual(reopened.proofs(100), records.toReversed());
      deepStrictEqual(
        reopened.outbox(100),
        chain.slice(receipts).map(({ record, body }) => ({ seq: record.proof.seq, digest: record.digest, body })),
      );
      reopened.close();
    }),
    { numRuns: 20 },
  );
  t.pass('in every run');
});

t.test('commits of one turn share one transaction, and all are durable when they resolve', async (t) => {
  const { journal, path } = openIn(t, { windowMs: 0 });
  const channels = fc.sample(channel, { seed: 1, numRuns: 50 });
  await Promise.all(channels.map((it) => journal.commit([{ kind: 'channel', channel: it }])));
  t.strictSame(journal.counts, { groups: 1, requests: 50 });
  journal.close();
  const reopened = new SqliteJournal({ path });
  t.equal(reopened.load().channels.length, 50);
  reopened.close();
});

t.test('what one caller gets wrong is refused whole, and does not undo what others commit with it', async (t) => {
  const { journal } = openIn(t, { windowMs: 0 });
  const good = sample(channel, 3);
  const tooLarge = { ...activeChannel(1n), openFee: 1n << 63n };
  const [kept, refused] = await Promise.allSettled([
    journal.commit([{ kind: 'channel', channel: good }]),
    journal.commit([sample(trialEntry), { kind: 'channel', channel: tooLarge }]),
  ]);
  t.equal(kept.status, 'fulfilled');
  t.match(refused, {
    status: 'rejected',
    reason: { code: 'JOURNAL_REFUSED', message: /open fee must be within 0\.\.2\^63-1/ },
  });
  t.strictSame(journal.load().channels, [good]);
  t.strictSame(journal.load().trials, [], 'the refused caller stored nothing at all');
  t.equal(journal.counts.requests, 1);
  journal.close();
});

t.test('a group in which everything is refused writes nothing', async (t) => {
  const { journal, path } = openIn(t);
  const before = statSync(`${path}-wal`).size;
  await t.rejects(
    journal.commit([{ kind: 'session', session: { ...sample(sessionEntry).session, id: 1.5 }, counters: [] }]),
    {
      code: 'JOURNAL_REFUSED',
      message: /session id must be an integer/,
    },
  );
  await t.rejects(journal.commit([{ kind: 'channel', channel: { ...activeChannel(1n), id: '0xzz' } }]), {
    code: 'JOURNAL_REFUSED',
  });
  t.equal(journal.counts.groups, 0);
  t.equal(statSync(`${path}-wal`).size, before);
  journal.close();
});

t.test('what is proven never decreases, whatever else of a session is written over', async (t) => {
  const { journal } = openIn(t);
  const { session, counters } = sample(sessionEntry);
  const marked = (down: bigint, units: bigint, usedBytes: bigint) => ({
    kind: 'session' as const,
    session: {
      ...session,
      usage: { ...session.usage, downBytes: usedBytes },
      proven: { downBytes: down, upBytes: 7n, units },
    },
    counters,
  });
  await journal.commit([marked(5n, 9n, 100n)]);
  await journal.commit([marked(3n, 10n, 200n)]);
  t.match(journal.load().sessions[0]?.session, {
    usage: { downBytes: 200n },
    proven: { downBytes: 5n, upBytes: 7n, units: 10n },
  });
  journal.close();
});

t.test('a forgotten session is gone', async (t) => {
  const { journal } = openIn(t);
  const entry = sample(sessionEntry);
  await journal.commit([entry]);
  await journal.commit([{ kind: 'session-forgotten', sessionId: entry.session.id }]);
  t.strictSame(journal.load().sessions, []);
  journal.close();
});

t.test('nothing is written while nothing is committed', async (t) => {
  const { journal, path } = openIn(t);
  await journal.commit([{ kind: 'channel', channel: sample(channel) }]);
  journal.load();
  // Of the files, not of the process: /proc/self/io counts the wake-ups between its threads too.
  const written = () => [path, `${path}-wal`].map((file) => statSync(file, { bigint: true }).mtimeNs);
  const before = written();
  journal.load();
  journal.outbox(10);
  journal.proofs(10);
  await journal.commit([]);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.strictSame(written(), before);
  await journal.commit([{ kind: 'channel', channel: activeChannel(1n) }]);
  t.not(written()[1], before[1], 'a commit is seen');
  journal.close();
});

t.test('after close nothing more is accepted, and what waited is stored', async (t) => {
  const { journal, path } = openIn(t, { windowMs: 1000 });
  const waiting = journal.commit([{ kind: 'channel', channel: sample(channel) }]);
  journal.close();
  await waiting;
  await t.rejects(journal.commit([sample(trialEntry)]), { code: 'JOURNAL_CLOSED' });
  const reopened = new SqliteJournal({ path });
  t.equal(reopened.load().channels.length, 1);
  reopened.close();
});
