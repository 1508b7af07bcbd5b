/** Everything a package says of itself, whatever its format. */
import type { Tree } from './tree.ts';

export type PackageSpec = {
  readonly name: string;
  /** With OpenWrt's release suffix, e.g. `0.1.0-r1`. */
  readonly version: string;
  /** OpenWrt's name of the processor, e.g. `aarch64_cortex-a53`; not the kernel's. */
  readonly arch: string;
  readonly description: string;
  readonly license: string;
  readonly maintainer: string;
  readonly url: string;
  /** Where the recipe lies in a feed. */
  readonly source: string;
  readonly depends: readonly string[];
  /** `name:group`, made at installation by base-files; empty: none. */
  readonly user: string;
  /** Unix seconds: the time of every file. */
  readonly mtimeS: number;
  readonly tree: Tree;
  /** Files that an upgrade leaves alone once their owner changed them; paths as in `tree`. */
  readonly conffiles: readonly string[];
  /** Our part of the scripts, shell. */
  readonly scripts: { readonly postinst: string; readonly prerm: string };
};
