/** Requests of one channel wait for each other; those of different channels do not. */
import type { Hex } from '../../protocol/hex.ts';

export class ChannelQueues {
  readonly #last = new Map<Hex, Promise<unknown>>();

  /** Runs `work` once all earlier work of the channel is done, whatever came of it. */
  async run<T>(id: Hex, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const mine = before === undefined ? work() : before.then(work, work);
    this.#last.set(id, mine);
    try {
      return await mine;
    } finally {
      // The entry goes with the last one, so the map stays small.
      if (this.#last.get(id) === mine) this.#last.delete(id);
    }
  }
}
