/**
 * Addresses that wait to be bound to a session. Looked at once a second at most: where nft lists them, it costs as much as
 * the objects of the whole table, and a guest's first packet from a new address is sent again after a second anyway.
 */
import type { SetElement } from '../../../openwrt/node-netlink/src/set-elements.ts';
import type { UnboundAddress } from '../../core/model.ts';
import { pairFromParts, pairsFromSet } from './installed.ts';
import type { KernelSets } from './kernel-sets.ts';
import { UNBOUND_SETS } from './layout.ts';
import type { NftRunner } from './nft-runner.ts';
import { partsFromKey } from './set-key.ts';
import { type SetMeaning, SetReader } from './set-reader.ts';

const EVERY_MS = 900;

const MEANING: SetMeaning<UnboundAddress> = {
  fromKernel: (elements: readonly SetElement[]) => elements.flatMap(({ key }) => pairFromParts(partsFromKey(key))),
  fromNft: pairsFromSet,
  isBetween: arePairsBetween,
};

export class UnboundReader {
  readonly #readers: readonly SetReader<UnboundAddress>[];
  readonly #everyMs: number;
  #readMs = Number.NEGATIVE_INFINITY;

  constructor(runner: Pick<NftRunner, 'list'>, kernel: KernelSets, everyMs = EVERY_MS) {
    this.#readers = UNBOUND_SETS.map((set) => new SetReader(set, MEANING, runner, kernel));
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

/** Pairs come and go by themselves: what is in both readings is listed, what is listed is in one of them. */
export function arePairsBetween(
  before: readonly UnboundAddress[],
  listed: readonly UnboundAddress[],
  after: readonly UnboundAddress[],
): boolean {
  const [first, last, names] = [before, after, listed].map((pairs) => new Set(pairs.map(nameOf)));
  const isInBoth = (name: string): boolean => first?.has(name) === true && last?.has(name) === true;
  const isInOne = (name: string): boolean => first?.has(name) === true || last?.has(name) === true;
  return (
    listed.map(nameOf).every(isInOne) &&
    before
      .map(nameOf)
      .filter(isInBoth)
      .every((name) => names?.has(name))
  );
}

function nameOf({ mac, address }: UnboundAddress): string {
  return `${mac} ${address}`;
}
