/** The index of a feed for opkg, as OpenWrt's scripts/ipkg-make-index.sh writes it and package/Makefile shortens it. */
import { createHash } from 'node:crypto';
import { controlText } from './ipk.ts';
import type { PackageSpec } from './spec.ts';

/** Fields that stay in the manifest and out of the index. */
const LEFT_OUT = /^(Maintainer|LicenseFiles|Source|SourceName|Require|SourceDateEpoch)/;

export type FeedPackage = { readonly spec: PackageSpec; readonly file: string; readonly bytes: Uint8Array };

/** Content of `Packages`: one block for each package, sorted by file, with a blank line after each. */
export function opkgIndex(packages: readonly FeedPackage[]): string {
  const sorted = packages.toSorted((a, b) => (a.file < b.file ? -1 : 1));
  return sorted.map((each) => `${block(each)}\n\n`).join('');
}

function block({ spec, file, bytes }: FeedPackage): string {
  const facts = [
    `Filename: ${file}`,
    `Size: ${bytes.length}`,
    `SHA256sum: ${createHash('sha256').update(bytes).digest('hex')}`,
  ];
  return controlText(spec)
    .trimEnd()
    .split('\n')
    .filter((line) => !LEFT_OUT.test(line))
    .flatMap((line) => (line.startsWith('Description:') ? [...facts, line] : [line]))
    .join('\n');
}
