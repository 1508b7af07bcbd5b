/**
 * kill -9 between the end of an interval and its receipt, at the steps that test/lab/labelled-steps.ts has no label for: with a
 * real journal and a real collector over HTTP each byte is proven once, and no number of the chain is signed twice.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import { encodeDraft } from '../../../agent/core/proof-draft.ts';
import { FakeRouter, NOW_S } from '../../fleet/fake-router.ts';
import { COLLECTOR, post } from '../../fleet/open-collector.ts';
import { attested, type Key, openDesk } from '../../fleet/registry-desk.ts';
import { RotationRouter } from '../identity/rotation-router.ts';
import { deliver } from './delivery.ts';
import '../../support/own-testdir.ts';

const MAIN = fileURLToPath(new URL('delivery-main.ts', import.meta.url));
const COMPILED = join(t.testdir(), 'compiled');
const INTERVALS = 2;
const BYTES = 10_000n;
const desk = await openDesk(t, t.testdirName);
t.teardown(desk.close);
const collectorUrl = await desk.app.listen({ host: '127.0.0.1', port: 0 });

/** A router whose journal holds closed intervals that nobody has signed. */
async function waiting(test: Test, name: string) {
  const source = new FakeRouter(name);
  const { key } = source;
  desk.enrol(key, attested(key));
  const router = new RotationRouter(test.testdir(), { key, collector: COLLECTOR, collectorUrl });
  const journal = new SqliteJournal({ path: router.journalPath });
  for (let i = 0; i < INTERVALS; i++) {
    const { proof, leaves, vouchers } = source.next([{ guest: 1, up: 1_000n, down: BYTES - 1_000n, paid: 10n }]);
    const { epoch, startS, endS, clockState } = proof;
    const body = encodeDraft({ epoch, startS, endS, clockState, leaves, vouchers }, key.address);
    await journal.commit([{ kind: 'draft', run: 'before', body }]);
  }
  journal.close();
  return { key, router };
}

async function killedAt(label: string, { configPath }: RotationRouter): Promise<void> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const env = { ...inherited, NODE_COMPILE_CACHE: COMPILED };
  const child = fork(MAIN, [configPath, `${NOW_S}`, label], { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [, signal] = await once(child, 'exit');
  if (signal !== 'SIGKILL') throw new Error(`ended by ${signal}, not ${label}`);
}

function judged({ address }: Key) {
  const rows = desk.store.verdicts(address, 0n, 100);
  return { rows, clones: desk.store.equivocations(address, 10) };
}

/** The others between the two: LABELS.proof of test/lab/labelled-steps.ts. */
const LABELS = ['behind collector.head', 'within collector.upload'] as const;

for (const label of LABELS) {
  t.test(`killed ${label}`, async (t) => {
    const { key, router } = await waiting(t, `router ${label}`);
    await killedAt(label, router);
    await deliver(router.config, NOW_S);
    const { rows, clones } = judged(key);
    t.strictSame(
      rows.map(({ seq, verdict }) => `${seq} ${verdict}`),
      ['0 valid', '1 valid'],
      'each interval once',
    );
    t.strictSame(clones, []);
    const journal = new SqliteJournal({ path: router.journalPath });
    t.teardown(() => journal.close());
    const proven = journal.proofs(10).map(({ proof, receipt }) => [proof.bytesUp + proof.bytesDown, receipt?.verdict]);
    t.strictSame(proven, [
      [BYTES, 'valid'],
      [BYTES, 'valid'],
    ]);
  });
}

for (const label of ['before journal.commit chain-rebased', 'behind journal.commit chain-rebased'] as const) {
  t.test(`out of an old backup, and killed ${label}`, async (t) => {
    const name = `old ${label}`;
    const { key, router } = await waiting(t, name);
    // What the router signed after the backup was made.
    const later = new FakeRouter(name);
    for (let i = 0; i < 3; i++) await post(desk.app, later.next([]));
    await killedAt(label, router);
    await deliver(router.config, NOW_S);
    t.equal(await router.prove(), 'valid', 'the chain goes on');
    const { rows, clones } = judged(key);
    t.strictSame(rows.map(({ seq }) => seq).toSorted(), [0n, 1n, 2n, 3n], 'after its last proof');
    t.strictSame(clones, [], 'nothing to slash');
  });
}
