import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { GENESIS_PREV, signTrafficProof, trafficProofDigestHex } from '../../../../protocol/traffic-proof.ts';
import { signProofReceipt } from '../../../../protocol/verdict.ts';
import { REGISTRY, testKey } from '../../../support/protocol-arbitraries.ts';
import '../../../support/own-testdir.ts';

const body = (...bytes: number[]) => new Uint8Array(bytes);

t.test('intervals wait in order, are merged and signed once, and survive a restart', async (t) => {
  const path = `${t.testdir()}/ledger.db`;
  const journal = new SqliteJournal({ path });
  journal.load();
  await journal.commit([1, 2, 3].map((n) => ({ kind: 'draft' as const, run: 'r', body: body(n) })));
  await journal.commit([
    { kind: 'draft-merged', id: 1n, body: body(1, 2) },
    { kind: 'draft-gone', id: 2n },
  ]);
  await t.rejects(journal.commit([{ kind: 'draft-gone', id: 2n }]), { code: 'JOURNAL_REFUSED' });
  await t.rejects(journal.commit([{ kind: 'draft-merged', id: 2n, body: body(9) }]), { code: 'JOURNAL_REFUSED' });
  journal.close();
  const again = new SqliteJournal({ path });
  t.strictSame(again.drafts(9), [
    { id: 1n, run: 'r', body: body(1, 2) },
    { id: 3n, run: 'r', body: body(3) },
  ]);
  t.match(again.waiting(), { drafts: 2, draftBytes: 3, signed: 0, signedBytes: 0 });
  again.close();
});

t.test('a rebased chain goes on after the collector and drops what was signed beside it', async (t) => {
  const path = `${t.testdir()}/ledger.db`;
  const device = testKey('device');
  const proofOf = (seq: bigint, paid: bigint) => {
    const rest = {
      bytesUp: 0n,
      bytesDown: 0n,
      paid,
      sessionsRoot: GENESIS_PREV,
      prev: GENESIS_PREV,
      clockState: 1n,
    } as const;
    const proof = signTrafficProof(
      REGISTRY,
      { device: device.address, epoch: 1n, seq, startS: 1n, endS: 2n, ...rest },
      device.secretKey,
    );
    return { proof, digest: trafficProofDigestHex(REGISTRY, proof) };
  };
  const journal = new SqliteJournal({ path });
  journal.load();
  await journal.commit([{ kind: 'proof', record: proofOf(0n, 1n), body: body(1) }]);
  const own = proofOf(0n, 2n);
  const parts = { collector: device.address, proof: own.digest, verdict: 'valid', receivedS: 5n } as const;
  const receipt = signProofReceipt(REGISTRY, parts, device.secretKey);
  await journal.commit([{ kind: 'chain-rebased', head: { ...own, receipt }, minEpoch: 77n }]);
  t.equal(journal.outbox(9).length, 0);
  journal.close();
  const again = new SqliteJournal({ path });
  t.match(again.load(), { minEpoch: 77n, lastProof: { digest: own.digest, receipt: { receivedS: 5n } } });
  again.close();
});
