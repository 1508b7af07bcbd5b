/** A journal in a fresh directory of the test, and one random fact of a kind. */
import { join } from 'node:path';
import fc from 'fast-check';
import type { Test } from 'tap';
import { type JournalOptions, SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import type { Channel } from '../../../../agent/core/model.ts';
import { type ChainLink, channel, proofChain } from './entries.ts';
import '../../../support/own-testdir.ts';

let files = 0;

export function openIn(test: Test, options: Partial<JournalOptions> = {}): { journal: SqliteJournal; path: string } {
  const path = join(test.testdir(), `journal-${++files}.db`);
  return { journal: new SqliteJournal({ path, ...options }), path };
}

/** The same value for the same seed. */
export function sample<T>(arbitrary: fc.Arbitrary<T>, seed = 7): T {
  return fc.sample(arbitrary, { seed, numRuns: 1 })[0] as T;
}

export function activeChannel(amount: bigint, from: Channel = sample(channel)): Channel {
  return { ...from, phase: 'active', deposit: 1000n, voucher: { ...from.voucher, amount } };
}

/** The first three proofs of a chain. */
export function threeProofs(): readonly [ChainLink, ChainLink, ChainLink] {
  const [first, second, third] = sample(proofChain.filter((chain) => chain.length >= 3));
  return [first as ChainLink, second as ChainLink, third as ChainLink];
}
