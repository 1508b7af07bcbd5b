/** One set of ours, read by netlink, or as nft lists it. */
import type { SetElement } from '../../../openwrt/node-netlink/src/set-elements.ts';
import { CheckedReader } from '../checked-reader.ts';
import type { KernelSets } from './kernel-sets.ts';
import { TABLE } from './layout.ts';
import type { JsonObject } from './nft-json.ts';
import type { NftRunner } from './nft-runner.ts';

/** What the set's elements mean, read in one way or the other. */
export type SetMeaning<T> = {
  fromKernel(elements: readonly SetElement[]): readonly T[];
  fromNft(listed: readonly JsonObject[]): readonly T[];
  /** Whether the listing can be of a moment between two readings. */
  isBetween(before: readonly T[], listed: readonly T[], after: readonly T[]): boolean;
};

/** `read()` gives undefined if there is no such set, and throws NftError. */
export function setReader<T>(
  set: string,
  { fromKernel, fromNft, isBetween }: SetMeaning<T>,
  runner: Pick<NftRunner, 'list'>,
  kernel: KernelSets,
): CheckedReader<T> {
  return new CheckedReader({
    direct: () => {
      const elements = kernel.elements(set);
      return elements === undefined ? undefined : fromKernel(elements);
    },
    tool: async () => {
      const listed = await runner.list({ set: { family: 'inet', table: TABLE, name: set } });
      return listed === undefined ? undefined : fromNft(listed);
    },
    isBetween,
    onAgreed: () => kernel.trust(),
    onDiffering: () => kernel.distrust(`set ${set} is read otherwise than nft lists it`),
  });
}
