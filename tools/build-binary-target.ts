/** The machines that binaries are made for: what npm, Debian and compilers call them, and the C library that goes with each. */
import { existsSync } from 'node:fs';

export type Target = {
  /** As OpenWrt and `uname -m` say. */
  readonly name: 'x86_64' | 'aarch64';
  /** As Node says (process.arch). */
  readonly nodeArch: 'x64' | 'arm64';
  readonly triple: string;
  /** The dynamic loader of glibc, which starts the agent where the system's C library is musl. */
  readonly loader: string;
  /** Debian packages that hold this machine's C library on this machine, and on any other. */
  readonly packages: readonly (readonly string[])[];
};

export const TARGETS: readonly Target[] = [
  {
    name: 'x86_64',
    nodeArch: 'x64',
    triple: 'x86_64-linux-gnu',
    loader: 'ld-linux-x86-64.so.2',
    packages: [
      ['libc6', 'libstdc++6', 'libgcc-s1'],
      ['libc6-amd64-cross', 'libstdc++6-amd64-cross', 'libgcc-s1-amd64-cross'],
    ],
  },
  {
    name: 'aarch64',
    nodeArch: 'arm64',
    triple: 'aarch64-linux-gnu',
    loader: 'ld-linux-aarch64.so.1',
    packages: [
      ['libc6', 'libstdc++6', 'libgcc-s1'],
      ['libc6-arm64-cross', 'libstdc++6-arm64-cross', 'libgcc-s1-arm64-cross'],
    ],
  },
];

/** What Node and the addon are linked with; libdl and libpthread are empty since glibc 2.34, but asked for. */
const LIBRARIES = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libgcc_s.so.1', 'libstdc++.so.6'];

export type Glibc = {
  /** Paths on this machine, loader first. */
  readonly files: readonly string[];
  readonly packages: readonly string[];
};

/** @throws Error naming the file that is missing and the Debian packages that hold it */
export function glibcOf(target: Target): Glibc {
  const isHost = target.nodeArch === process.arch;
  const folders = isHost
    ? [`/lib/${target.triple}`, `/usr/lib/${target.triple}`]
    : [`/usr/${target.triple}/lib`, `/usr/lib/${target.triple}`];
  const packages = target.packages[isHost ? 0 : 1] ?? [];
  const files = [target.loader, ...LIBRARIES].map((name) => {
    const found = folders.map((folder) => `${folder}/${name}`).find((path) => existsSync(path));
    if (found === undefined) {
      throw new Error(
        `${name} for ${target.name} is not in ${folders.join(' or ')}; Debian: apt-get install ${packages.join(' ')}`,
      );
    }
    return found;
  });
  return { files, packages };
}

/** @throws Error listing the known ones */
export function targetNamed(name: string): Target {
  const target = TARGETS.find((known) => known.name === name);
  if (target === undefined) {
    throw new Error(`no target "${name}"; there are ${TARGETS.map((known) => known.name).join(', ')}`);
  }
  return target;
}
