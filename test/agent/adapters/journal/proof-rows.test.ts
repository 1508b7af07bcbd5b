import SqliteDatabase from 'better-sqlite3';
import t from 'tap';
import { proofChain } from './entries.ts';
import { openIn, sample, threeProofs } from './open-journal.ts';

t.test('a proof that does not follow the last one is refused', async (t) => {
  const { journal } = openIn(t);
  const [first, second, third] = threeProofs();
  await journal.commit([{ kind: 'proof', record: first.record, body: first.body }]);
  await t.rejects(journal.commit([{ kind: 'proof', record: third.record, body: third.body }]), {
    code: 'JOURNAL_REFUSED',
    message: /does not follow proof/,
  });
  const fork = { ...second.record, proof: { ...second.record.proof, prev: third.record.digest } };
  await t.rejects(journal.commit([{ kind: 'proof', record: fork, body: second.body }]), { code: 'JOURNAL_REFUSED' });
  await t.rejects(journal.commit([{ kind: 'proof', record: first.record, body: first.body }]), {
    code: 'JOURNAL_REFUSED',
  });
  t.equal(journal.outbox(10).length, 1, 'refused proofs are not in the outbox');
  journal.close();
});

t.test('only a receipt takes a proof out of the outbox, and the last receipt is the one that counts', async (t) => {
  const { journal } = openIn(t);
  const [link] = threeProofs();
  await journal.commit([{ kind: 'proof', record: link.record, body: link.body }]);
  const receipt = { kind: 'receipt', digest: link.record.digest, receipt: link.receipt } as const;
  await journal.commit([receipt]);
  t.strictSame(journal.proofs(10), [{ ...link.record, receipt: link.receipt }]);
  const later = { ...link.receipt, verdict: 'late' } as const;
  await journal.commit([{ ...receipt, receipt: later }]);
  t.strictSame(journal.outbox(10), []);
  t.strictSame(journal.proofs(10), [{ ...link.record, receipt: later }]);
  t.strictSame(journal.proofBody(link.record.proof.seq), link.body, 'and it can be sent again');
  t.equal(journal.proofBody(link.record.proof.seq + 1n), undefined);
  const other = `0x${'ab'.repeat(32)}` as const;
  await t.rejects(journal.commit([{ ...receipt, digest: other }]), { message: /filed under/ });
  await t.rejects(journal.commit([{ kind: 'receipt', digest: other, receipt: { ...link.receipt, proof: other } }]), {
    message: /no proof of this journal/,
  });
  journal.close();
});

t.test('acknowledged proofs are pruned beyond the history, waiting ones never', async (t) => {
  const { journal, path } = openIn(t, { history: { bodies: 1, records: 3 } });
  const chain = sample(proofChain.filter((it) => it.length >= 7));
  for (const [i, { record, body, receipt }] of chain.entries()) {
    await journal.commit([{ kind: 'proof', record, body }]);
    if (i > 0) await journal.commit([{ kind: 'receipt', digest: record.digest, receipt }]);
  }
  t.strictSame(
    journal.outbox(10).map(({ digest }) => digest),
    [chain[0]?.record.digest],
  );
  t.equal(journal.proofs(100).length, 4, 'three of the history and the one that waits');
  journal.close();
  const database = new SqliteDatabase(path);
  t.strictSame(database.prepare('SELECT count(*) FROM proof_bodies').pluck().get(), 2);
  database.close();
});
