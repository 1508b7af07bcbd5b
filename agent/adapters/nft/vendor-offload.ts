/**
 * Fast paths of vendors' kernels: they take packets out of the stack below nftables, no flowtable tells of them, and what they
 * carry is neither counted nor stopped. Known by the traces that they leave in sysfs and debugfs (OpenWrt feeds nss-packages
 * and mtk-openwrt-feeds, kmod-shortcut-fe, kmod-ipt-offload).
 */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';

type FastPath = {
  readonly name: string;
  /** Below /sys: is there while the fast path is loaded. */
  readonly trace: string;
  /** Below /sys: what each of these files says while it is loaded and off. */
  readonly off?: { readonly files: readonly string[]; readonly says: string };
  readonly remedy: string;
};

const ECM_STOPS = ['kernel/debug/ecm/front_end_ipv4_stop', 'kernel/debug/ecm/front_end_ipv6_stop'];

const FAST_PATHS: readonly FastPath[] = [
  {
    name: "Qualcomm's connection manager ecm (NSS, PPE or SFE)",
    trace: 'module/ecm',
    off: { files: ECM_STOPS, says: '1' },
    remedy: `write 1 to ${ECM_STOPS.map((file) => `/sys/${file}`).join(' and ')}, or remove kmod-qca-nss-ecm`,
  },
  { name: 'shortcut-fe', trace: 'module/shortcut_fe_cm', remedy: 'remove kmod-shortcut-fe-cm' },
  { name: 'fast-classifier', trace: 'module/fast_classifier', remedy: 'remove kmod-fast-classifier' },
  // hook_toggle says nothing when it is read: whether it is off cannot be known.
  { name: "MediaTek's HNAT", trace: 'kernel/debug/hnat', remedy: 'use a kernel without mtkhnat' },
  { name: "MediaTek's HNAT", trace: 'module/mtkhnat', remedy: 'use a kernel without mtkhnat' },
  { name: "Ralink's hardware NAT", trace: 'module/hw_nat', remedy: 'remove the module hw_nat' },
  {
    name: 'the iptables target FLOWOFFLOAD',
    trace: 'module/xt_FLOWOFFLOAD/refcnt',
    off: { files: ['module/xt_FLOWOFFLOAD/refcnt'], says: '0' },
    remedy: 'remove the iptables rules that jump to FLOWOFFLOAD',
  },
];

/** "MediaTek's HNAT (use a kernel without mtkhnat)" for each fast path that is not known to be off. `sysfs`: where /sys is. */
export async function readVendorOffloads(sysfs = '/sys'): Promise<string[]> {
  const found = await Promise.all(
    FAST_PATHS.map(async ({ name, trace, off, remedy }) => {
      if (!(await isThere(join(sysfs, trace)))) return [];
      if (off !== undefined && (await allSay(sysfs, off.files, off.says))) return [];
      return [`${name} (${remedy})`];
    }),
  );
  return [...new Set(found.flat())];
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

async function allSay(sysfs: string, files: readonly string[], says: string): Promise<boolean> {
  const texts = await Promise.all(files.map((file) => readFile(join(sysfs, file), 'utf8').catch(() => '')));
  return texts.every((text) => text.trim() === says);
}
