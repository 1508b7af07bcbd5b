/** Packs a folder so that the same content gives the same bytes: sorted, owned by root, one time for all. */
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import type { Target } from './build-binary-target.ts';

/**
 * `tar` piped through `xz`; one thread, because the number of threads changes the result. With the branch filter where every xz knows it
 * (x86; arm64's came with 5.4): 1.1 MB less, but nothing that busybox's unxz can read. To unpack takes 17 MB of memory.
 */
export function packTar(folder: string, file: string, { name }: Target, epochS: number): void {
  const tar = 'tar --sort=name --owner=0 --group=0 --numeric-owner --format=ustar --mtime="@$3" -C "$1" -cf - .';
  const filter = name === 'x86_64' ? '--x86 ' : '';
  const xz = `xz ${filter}--lzma2=preset=6,dict=16MiB -T1`;
  run('sh', ['-c', `set -e; ${tar} | ${xz} >"$2"`, 'pack', folder, file, String(epochS)]);
}

/**
 * A squashfs image to be mounted where it is stored: it takes its packed size of flash. xz in 256 KiB blocks, with the branch filter
 * on x86 only: what OpenWrt's own images use (include/image.mk), so that its kernels can read it.
 */
export function squash(folder: string, file: string, { name }: Target, epochS: number): void {
  const tool = ['/usr/bin/mksquashfs', '/usr/local/bin/mksquashfs', '/bin/mksquashfs'].find((path) => existsSync(path));
  if (tool === undefined) throw new Error('mksquashfs is missing; Debian: apt-get install squashfs-tools');
  rmSync(file, { force: true });
  const time = String(epochS);
  const filter = name === 'x86_64' ? ['-Xbcj', 'x86'] : [];
  const options = [
    '-comp',
    'xz',
    '-b',
    '256K',
    ...filter,
    '-all-root',
    '-no-xattrs',
    '-mkfs-time',
    time,
    '-all-time',
    time,
  ];
  run(tool, [folder, file, ...options, '-noappend', '-no-progress', '-quiet']);
}

function run(command: string, args: readonly string[]): void {
  // An epoch in the environment and one among the options exclude each other in mksquashfs.
  const { SOURCE_DATE_EPOCH: _, ...env } = process.env;
  execFileSync(command, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}
