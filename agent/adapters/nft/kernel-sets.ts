/**
 * Sets read from the kernel by netlink, without nft: a process less for each reading, and none of nft's own cost (it loads
 * every object of the table first). Whatever is not as expected is left to nft.
 */
import type { Addon } from '../../../openwrt/node-netlink/src/addon.ts';
import { NetlinkError } from '../../../openwrt/node-netlink/src/error.ts';
import {
  decodeSetElements,
  NETLINK_NETFILTER,
  type SetElement,
  setElementsRequest,
} from '../../../openwrt/node-netlink/src/set-elements.ts';
import { NetlinkSocket } from '../../../openwrt/node-netlink/src/socket.ts';
import { openNetlinkAddon } from '../netlink-addon.ts';
import { TABLE } from './layout.ts';

export type KernelSetsDeps = {
  /** Network namespace by name; tests only. */
  readonly netns?: string;
  readonly log: { info(details: object, event: string): void; warn(details: object, event: string): void };
  readonly openAddon?: () => Addon;
  readonly monotonicMs?: () => number;
};

/** Why sets cannot be read here, tried on a set that does not exist; undefined if they can. */
export function whyNotFromKernel(openAddon: () => Addon = openNetlinkAddon): string | undefined {
  try {
    const socket = new NetlinkSocket(openAddon(), NETLINK_NETFILTER);
    try {
      socket.request(setElementsRequest('inet', `${TABLE}_probe`, 'none'), decodeSetElements);
    } finally {
      socket.close();
    }
  } catch (error) {
    return error instanceof NetlinkError && error.code === 'ENOENT' ? undefined : (error as Error).message;
  }
  return undefined;
}

/** The kernel was busy or the table was being changed: nft, which takes its time, is asked instead. */
const PASSING: readonly string[] = ['EINTR', 'ENOBUFS', 'ETIMEDOUT', 'EMSGSIZE'];
/** When it came this many times in a row, it is not tried again for a while. */
const MAX_MISSES = 3;
const REST_MS = 60_000;

export class KernelSets {
  readonly #deps: KernelSetsDeps;
  #socket: NetlinkSocket | undefined;
  #isOff = false;
  #isTrusted = false;
  #misses = 0;
  #restUntilMs = Number.NEGATIVE_INFINITY;
  readonly #monotonicMs: () => number;

  constructor(deps: KernelSetsDeps) {
    this.#deps = deps;
    this.#monotonicMs = deps.monotonicMs ?? (() => performance.now());
  }

  /** All elements of a set of ours; undefined if nft is to be asked. Never throws. */
  elements(set: string): readonly SetElement[] | undefined {
    if (this.#isOff || this.#monotonicMs() < this.#restUntilMs) return undefined;
    try {
      this.#socket ??= this.#open();
      const elements = this.#socket.request(setElementsRequest('inet', TABLE, set), decodeSetElements);
      this.#misses = 0;
      return elements;
    } catch (error) {
      this.#onError(error as Error);
      return undefined;
    }
  }

  /** Said once a reading was found to be what nft lists. */
  trust(): void {
    if (!this.#isTrusted) this.#deps.log.info({}, 'nft-sets-by-netlink');
    this.#isTrusted = true;
  }

  /** From now on nft is asked. */
  distrust(why: string): void {
    this.#deps.log.warn({ why }, 'nft-netlink-off');
    this.#isOff = true;
    this.close();
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): NetlinkSocket {
    const { netns, openAddon = openNetlinkAddon } = this.#deps;
    return new NetlinkSocket(
      openAddon(),
      NETLINK_NETFILTER,
      netns === undefined ? {} : { netns: `/run/netns/${netns}` },
    );
  }

  #onError(error: Error): void {
    const code = error instanceof NetlinkError ? error.code : undefined;
    // A set that is gone: nft says so as well.
    if (code === 'ENOENT') return;
    if (code === undefined || !PASSING.includes(code)) {
      this.distrust(error.message);
      return;
    }
    this.#misses += 1;
    if (this.#misses < MAX_MISSES) return;
    this.#misses = 0;
    this.#restUntilMs = this.#monotonicMs() + REST_MS;
    this.#deps.log.info({ why: error.message }, 'nft-netlink-rests');
  }
}
