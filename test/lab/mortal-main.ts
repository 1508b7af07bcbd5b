/**
 * `shareagent`, in a process that kills itself (SIGKILL) at the labelled step it is told (fate.ts): the very agent, with
 * the classes of its edges wrapped before it is composed. Nothing else differs, and the agent knows nothing of it.
 */
import { flushCompileCache } from 'node:module';
import { dirname } from 'node:path';
import { CollectorHttp } from '../../agent/adapters/collector-http.ts';
import { LogSync } from '../../agent/adapters/journal/log-sync.ts';
import { SqliteJournal } from '../../agent/adapters/journal/sqlite-journal.ts';
import { NftRunner } from '../../agent/adapters/nft/nft-runner.ts';
import { ProofSealer } from '../../agent/proofs/proof-sealer.ts';
import { Fate, type Moment } from './fate.ts';
import { stepsOfCommit, stepsOfRpc, stepsOfTransaction } from './labelled-steps.ts';

const HOLD_MS = 5;
const fate = new Fate(dirname(process.argv[process.argv.indexOf('--config') + 1] ?? '.'));

const journal = SqliteJournal.prototype;
journal.load = mortal(journal.load, () => ['journal.load']);
journal.commit = mortal(journal.commit, (entries) => stepsOfCommit(entries));
LogSync.prototype.sync = mortal(LogSync.prototype.sync, () => ['journal.sync']);
NftRunner.prototype.list = mortal(NftRunner.prototype.list, () => ['nft.list']);
NftRunner.prototype.apply = mortal(NftRunner.prototype.apply, (commands) => stepsOfTransaction(commands));
ProofSealer.prototype.seal = mortal(ProofSealer.prototype.seal, () => ['proof.seal']);
const collector = CollectorHttp.prototype;
collector.send = mortal(collector.send, ({ line }) => [`collector.${line}`]) as typeof collector.send;
globalThis.fetch = mortal(fetch, (_url: unknown, init?: { body?: unknown }) => stepsOfRpc(init?.body));

// Not awaited: the bundle of it is no ES module.
void import('../../agent/cli/shareagent.ts');

/** The method in a coat that knows which steps a call of it is. */
function mortal<Arguments extends unknown[], Result>(
  method: (...args: Arguments) => Result,
  stepsOf: (...args: Arguments) => readonly string[],
): (...args: Arguments) => Result {
  return function (this: unknown, ...args: Arguments): Result {
    const steps = stepsOf(...args);
    const begin = (): Result => {
      const result = method.apply(this, args);
      // Whoever is killed within a call has made it.
      void reach('within', steps);
      return result;
    };
    const waiting = reach('before', steps);
    if (waiting !== undefined) return waiting.then(begin) as Result;
    const result = begin();
    if (!(result instanceof Promise)) {
      void reach('behind', steps);
      return result;
    }
    return result.then(async (value: unknown) => {
      await reach('behind', steps);
      return value;
    }) as Result;
  };
}

/** Dies if that is the order; a promise if it is to wait for that. */
function reach(moment: Moment, steps: readonly string[]): Promise<void> | undefined {
  if (moment === 'before') for (const step of steps) fate.note(step);
  const order = fate.current();
  if (order === undefined || !steps.some((step) => order.label === `${moment} ${step}`)) return undefined;
  if (order.isHeld) return held(moment, steps);
  // What was compiled serves the next life, if NODE_COMPILE_CACHE says where.
  flushCompileCache();
  fate.die(order.label);
  return undefined;
}

async function held(moment: Moment, steps: readonly string[]): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, HOLD_MS));
  await reach(moment, steps);
}
