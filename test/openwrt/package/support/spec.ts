/** The package as it is built, with a payload of a few bytes: what is tested is the packaging. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageSpec } from '../../../../tools/build-package.ts';
import type { PackageSpec } from '../../../../tools/package/spec.ts';
import { textFile } from '../../../../tools/package/tree.ts';

export function testSpec(): PackageSpec {
  const payload = {
    entries: [
      textFile('usr/lib/shareagent/shareagent', '#!/bin/sh\necho "$@"\n', 0o755),
      textFile('usr/lib/shareagent/empty', ''),
      // One file longer than 64 KiB, which formats note in another way.
      textFile('usr/lib/shareagent/large', 'x'.repeat(70_000)),
    ],
    depends: [],
  };
  return { ...packageSpec(payload, 'x86_64', 1_790_000_000), version: '1.2.3-r1' };
}

/** A tool of OpenWrt's, which few machines have: named by a variable, or on PATH. */
export function toolFrom(variable: string, name: string): string | undefined {
  const named = process.env[variable];
  if (named !== undefined) return named;
  const folders = (process.env['PATH'] ?? '').split(':');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
