/**
 * Addresses that wait to be bound to a session. Looked at once a second at most: a listing costs as much as the objects of
 * the whole table, and a guest's first packet from a new address is sent again after a second anyway.
 */
import type { UnboundAddress } from '../../core/model.ts';
import { pairsFromSet } from './installed.ts';
import { TABLE, UNBOUND_SETS } from './layout.ts';
import type { NftRunner } from './nft-runner.ts';

const EVERY_MS = 900;

export class UnboundReader {
  readonly #runner: NftRunner;
  readonly #everyMs: number;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(runner: NftRunner, everyMs = EVERY_MS) {
    this.#runner = runner;
    this.#everyMs = everyMs;
  }

  /** Those that were seen lately; none if it was asked a moment ago. */
  async read(): Promise<readonly UnboundAddress[]> {
    if (performance.now() - this.#readMs < this.#everyMs) return [];
    this.#readMs = performance.now();
    const found: UnboundAddress[] = [];
    for (const name of UNBOUND_SETS) {
      found.push(...pairsFromSet((await this.#runner.list({ set: { family: 'inet', table: TABLE, name } })) ?? []));
    }
    return found;
  }
}
