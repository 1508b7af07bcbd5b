/**
 * Addresses that wait to be bound to a session. Looked at once a second at most: where nft lists them, it costs as much as
 * the objects of the whole table, and a guest's first packet from a new address is sent again after a second anyway.
 */
import type { SetElement } from '../../../openwrt/node-netlink/src/set-elements.ts';
import type { UnboundAddress } from '../../core/model.ts';
import { arePairsBetween } from '../address-pairs.ts';
import type { CheckedReader } from '../checked-reader.ts';
import { pairFromParts, pairsFromSet } from './installed.ts';
import type { KernelSets } from './kernel-sets.ts';
import { UNBOUND_SETS } from './layout.ts';
import type { NftRunner } from './nft-runner.ts';
import { partsFromKey } from './set-key.ts';
import { type SetMeaning, setReader } from './set-reader.ts';

const EVERY_MS = 900;

const MEANING: SetMeaning<UnboundAddress> = {
  fromKernel: (elements: readonly SetElement[]) => elements.flatMap(({ key }) => pairFromParts(partsFromKey(key))),
  fromNft: pairsFromSet,
  isBetween: arePairsBetween,
};

export class UnboundReader {
  readonly #readers: readonly CheckedReader<UnboundAddress>[];
  readonly #everyMs: number;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(runner: Pick<NftRunner, 'list'>, kernel: KernelSets, everyMs = EVERY_MS) {
    this.#readers = UNBOUND_SETS.map((set) => setReader(set, MEANING, runner, kernel));
    this.#everyMs = everyMs;
  }

  /** Those that were seen lately; none if it was asked a moment ago. */
  async read(): Promise<readonly UnboundAddress[]> {
    if (performance.now() - this.#readMs < this.#everyMs) return [];
    this.#readMs = performance.now();
    const found: UnboundAddress[] = [];
    for (const reader of this.#readers) found.push(...((await reader.read()) ?? []));
    return found;
  }
}
