/**
 * One set, read from the kernel once that was found to give what nft lists: nft's own reading of the set must fit between
 * two of ours, the first time and again the first time that there is something in it.
 */
import type { SetElement } from '../../../openwrt/node-netlink/src/set-elements.ts';
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

export class SetReader<T> {
  readonly #set: string;
  readonly #meaning: SetMeaning<T>;
  readonly #runner: Pick<NftRunner, 'list'>;
  readonly #kernel: KernelSets;
  #checked: 'never' | 'empty' | 'filled' = 'never';

  constructor(set: string, meaning: SetMeaning<T>, runner: Pick<NftRunner, 'list'>, kernel: KernelSets) {
    this.#set = set;
    this.#meaning = meaning;
    this.#runner = runner;
    this.#kernel = kernel;
  }

  /** Undefined if there is no such set. @throws NftError */
  async read(): Promise<readonly T[] | undefined> {
    const before = this.#kernel.elements(this.#set);
    const isChecked = this.#checked === 'filled' || (this.#checked === 'empty' && before?.length === 0);
    if (before !== undefined && isChecked) return this.#meaning.fromKernel(before);
    const listed = await this.#runner.list({ set: { family: 'inet', table: TABLE, name: this.#set } });
    if (listed === undefined) return undefined;
    const readings = this.#meaning.fromNft(listed);
    if (before !== undefined) this.#check(before, readings);
    return readings;
  }

  #check(before: readonly SetElement[], listed: readonly T[]): void {
    const after = this.#kernel.elements(this.#set);
    if (after === undefined) return;
    const { fromKernel, isBetween } = this.#meaning;
    if (!isBetween(fromKernel(before), listed, fromKernel(after))) {
      this.#kernel.distrust(`set ${this.#set} is read otherwise than nft lists it`);
      return;
    }
    this.#checked = listed.length > 0 ? 'filled' : 'empty';
    if (listed.length > 0) this.#kernel.trust();
  }
}
