/**
 * Chromium in a guest's own network namespace: it asks the router's dnsmasq for names, and nothing but the router carries its
 * packets. Plain http, as a phone's sign-in sheet sees the portal.
 */
import { writeFileSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM_PATH, QUIET_FLAGS } from '../../captive-portal/support/browser.ts';
import type { Guest } from '../../lab/guest.ts';
import type { Lab } from '../../lab/lab.ts';

/** `ip netns exec` gives the command a mount namespace of its own, so that resolv.conf changes for it alone. */
export async function openGuestBrowser(lab: Lab, guest: Guest): Promise<Browser> {
  const { name, netns } = guest.host.host;
  const names = lab.path(`${name}.resolv.conf`);
  writeFileSync(names, `nameserver ${guest.addresses.dns}\n`);
  const launcher = lab.path(`${name}.chromium`);
  const start = `mount --bind ${names} /etc/resolv.conf && exec ${CHROMIUM_PATH} "$@"`;
  writeFileSync(launcher, `#!/bin/sh\nexec ip netns exec ${netns} sh -c '${start}' chromium "$@"\n`, { mode: 0o755 });
  return await chromium.launch({
    executablePath: launcher,
    args: [...QUIET_FLAGS, '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable'],
  });
}
