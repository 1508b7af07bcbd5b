/** The netlink addon that packages and binaries carry: of the target's processor, and bound to no C library. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { TARGETS } from '../../../tools/build-binary-target.ts';
import { netlinkAddon } from '../../../tools/build-netlink-addon.ts';

/** e_machine of an ELF file, at byte 18. */
const MACHINE = { x86_64: 62, aarch64: 183 } as const;

for (const target of TARGETS) {
  const compiler = target.nodeArch === process.arch ? 'cc' : `${target.triple}-gcc`;
  const folders = (process.env['PATH'] ?? '').split(':');
  const skip = folders.some((folder) => existsSync(join(folder, compiler))) ? false : `no ${compiler} on this machine`;

  t.test(target.name, { skip }, (t) => {
    const bytes = readFileSync(netlinkAddon(target) ?? '');
    t.equal(bytes.toString('latin1', 1, 4), 'ELF');
    t.equal(bytes.readUInt16LE(18), MACHINE[target.name]);
    t.ok(bytes.includes('napi_register_module_v1'));
    t.notMatch(bytes.toString('latin1'), /libc\.so|GLIBC_/, 'glibc and musl will both do');
    t.end();
  });
}
