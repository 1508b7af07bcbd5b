/** All counter sets together. */
import { setImmediate } from 'node:timers/promises';
import type { CounterReading } from '../../core/model.ts';
import type { CheckedReader } from '../checked-reader.ts';
import { type CounterSet, counterMeaning } from './counter-reader.ts';
import type { KernelSets } from './kernel-sets.ts';
import { COUNTER_SETS } from './layout.ts';
import type { NftRunner } from './nft-runner.ts';
import { setReader } from './set-reader.ts';

export class CounterSets {
  readonly #readers: readonly (readonly [CounterSet, CheckedReader<CounterReading>])[];

  constructor(runner: Pick<NftRunner, 'list'>, kernel: KernelSets) {
    this.#readers = COUNTER_SETS.map((set) => [set, setReader(set, counterMeaning(set), runner, kernel)]);
  }

  /** Readings of all sets but the empty ones, or the name of one that is gone. @throws NftError */
  async read(isEmpty: (set: CounterSet) => boolean): Promise<readonly CounterReading[] | CounterSet> {
    const all: CounterReading[][] = [];
    for (const [set, reader] of this.#readers) {
      if (isEmpty(set)) continue;
      const readings = await reader.read();
      if (readings === undefined) return set;
      all.push([...readings]);
      // A set of 4,000 holds up the loop for 8 ms; guests are served between two.
      await setImmediate();
    }
    return all.flat();
  }
}
