/** Delivers what waits in a real journal, as the agent does it, with edges that nothing else needs; may die at a step. */
import { setTimeout as delay } from 'node:timers/promises';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import { nodeSigner } from '../../../agent/adapters/node-signer.ts';
import { uploaderFrom } from '../../../agent/adapters/uploader.ts';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import { Driver } from '../../../agent/driver.ts';
import type { ProofUploader } from '../../../agent/ports.ts';
import { ProofMaker } from '../../../agent/proofs/proof-maker.ts';
import { FakeChain } from '../../support/fake-chain.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FakeEnforcer } from '../../support/fake-enforcer.ts';
import { FaultLine } from '../../support/fault-line.ts';

/** Before, within and behind: "before journal.commit receipt", "within collector.upload". */
export type AtStep = (step: string) => void;

/** Until nothing waits. `nowS`: a clock that is set. */
export async function deliver(config: AgentConfig, nowS: bigint, atStep: AtStep = () => undefined): Promise<void> {
  const journal = new SqliteJournal({ path: config.storage.databasePath });
  const signer = nodeSigner(config.storage);
  const whole = uploaderFrom(config, signer) as Required<ProofUploader>;
  const clock = new FakeClock(nowS);
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const { chainId, channels } = config.chain;
  const line = new FaultLine();
  const edges = {
    config,
    clock,
    log,
    enforcer: new FakeEnforcer(line),
    chain: new FakeChain(line, { chainId, channels }),
  };
  const state = stateFromJournal(journal.load(), clock.monotonicMs(), nowS);
  const commit: SqliteJournal['commit'] = (entries) => {
    const steps = [...new Set(entries.map(({ kind }) => `journal.commit ${kind}`))];
    return passing(steps, atStep, () => SqliteJournal.prototype.commit.call(journal, entries));
  };
  const driver = new Driver({ ...edges, journal: Object.assign(journal, { commit }) }, state);
  const uploader: ProofUploader = {
    upload: (body) => passing(['collector.upload'], atStep, () => whole.upload(body)),
    head: () => passing(['collector.head'], atStep, () => whole.head()),
  };
  const proofs = new ProofMaker({ ...edges, driver, journal, signer, uploader, retryDelayMs: () => 0, run: 'later' });
  try {
    do {
      clock.ms += 1_000;
      proofs.poll();
      await delay(2);
    } while (journal.waiting().signed + journal.waiting().drafts > 0);
  } finally {
    await proofs.close();
    journal.close();
  }
}

async function passing<T>(steps: readonly string[], atStep: AtStep, begin: () => Promise<T>): Promise<T> {
  for (const step of steps) atStep(`before ${step}`);
  const begun = begin();
  for (const step of steps) atStep(`within ${step}`);
  const value = await begun;
  for (const step of steps) atStep(`behind ${step}`);
  return value;
}
