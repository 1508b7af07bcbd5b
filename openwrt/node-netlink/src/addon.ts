/** The compiled part (addon/netlink.c): sockets, which Node cannot open by itself. */
import { fileURLToPath } from 'node:url';

export const ADDON_FILE = 'netlink.node';

/** Results below zero are `-errno`. */
export type Addon = {
  /** @param netns path of a network namespace, as /run/netns/NAME; the process's own if undefined */
  open(protocol: number, netns: string | undefined): number;
  /** Sends one request, writes the whole answer into `reply` and returns its length. Blocks while the kernel answers. */
  exchange(fd: number, request: Buffer, reply: Buffer, timeoutMs: number): number;
  close(fd: number): void;
};

/** Where `compile` puts it. Undefined in a bundle without import.meta. */
export function compiledAddon(): string | undefined {
  const here: string | undefined = import.meta.url;
  return here === undefined ? undefined : fileURLToPath(new URL(`../build/${ADDON_FILE}`, here));
}

/** @throws Error if the file is missing, or was made for another machine */
export function loadAddon(path: string): Addon {
  const loaded: { exports: unknown } = { exports: {} };
  process.dlopen(loaded, path);
  if (!isAddon(loaded.exports)) throw new Error(`${path} is not the netlink addon`);
  return loaded.exports;
}

function isAddon(value: unknown): value is Addon {
  const functions: readonly (keyof Addon)[] = ['open', 'exchange', 'close'];
  return (
    typeof value === 'object' &&
    value !== null &&
    functions.every((name) => typeof (value as Partial<Addon>)[name] === 'function')
  );
}
