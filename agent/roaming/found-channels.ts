/** Channels that sisters have just been found to serve: remembered for as long as a challenge is good, bounded in number. */
import type { Address } from '../../protocol/address.ts';
import type { ServedChannel } from '../../protocol/hand-over-wire.ts';
import type { Hex } from '../../protocol/hex.ts';
import { CHALLENGE_MS, MAX_CHALLENGES } from '../core/limits.ts';
import type { Clock } from '../ports.ts';

export type FoundChannel = ServedChannel & { readonly sister: Address };

export class FoundChannels {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #found = new Map<Hex, FoundChannel & { readonly atMs: number }>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  keep(id: Hex, found: FoundChannel): void {
    this.#found.delete(id);
    const [oldest] = this.#found.keys();
    if (oldest !== undefined && this.#found.size >= MAX_CHALLENGES) this.#found.delete(oldest);
    this.#found.set(id, { ...found, atMs: this.#clock.monotonicMs() });
  }

  at(id: Hex): FoundChannel | undefined {
    const found = this.#found.get(id);
    return found !== undefined && this.#clock.monotonicMs() - found.atMs <= CHALLENGE_MS ? found : undefined;
  }
}
