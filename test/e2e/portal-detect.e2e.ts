/** What every system asks to learn whether it is behind a portal: the right answer before and after payment, over both families. */
import { existsSync } from 'node:fs';
import t from 'tap';
import type { Guest } from '../lab/guest.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { startNetworkManager } from './support/network-manager.ts';
import { startNetworkd, whyNoNetworkd } from './support/networkd.ts';
import { hasBusDaemon } from './support/private-bus.ts';

/** Probe of each system, as its vendor documents it or its source says. */
const PROBES = {
  'Android, ChromeOS': 'http://connectivitycheck.gstatic.com/generate_204',
  'Android, fallback': 'http://www.google.com/gen_204',
  'iOS, macOS': 'http://captive.apple.com/hotspot-detect.html',
  'iOS, older': 'http://www.apple.com/library/test/success.html',
  Windows: 'http://www.msftconnecttest.com/connecttest.txt',
  'Windows, older': 'http://www.msftncsi.com/ncsi.txt',
  Firefox: 'http://detectportal.firefox.com/canonical.html',
  Samsung: 'http://connectivity.samsung.com/generate_204',
  Huawei: 'http://connectivitycheck.platform.hicloud.com/generate_204',
  Xiaomi: 'http://connect.rom.miui.com/generate_204',
  Kindle: 'http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html',
  NetworkManager: 'http://network-test.debian.org/nm',
  connman: 'http://ipv4.connman.net/online/status.html',
} as const;
const PORTAL = 'http://portal.lan/';
const CAPTIVE = { accept: 'application/captive+json' };

const whyNo = whyNoNetworkd();
const scene = await openTestScene({ guests: 3 });
const { guest, other } = scene;
const laptop = scene.guests[2] as Guest;
await Promise.all([guest.join(), other.join(), laptop.join()]);

async function probeAll(family: 4 | 6) {
  const address = family === 4 ? guest.server.ip4 : guest.server.ip6;
  return await Promise.all(
    Object.entries(PROBES).map(async ([system, url]) => {
      const { status, headers } = await guest.hand.call('http', { url, address, timeoutMs: 4_000 });
      return { system, status, location: headers['location'] };
    }),
  );
}

async function captiveState(asker = guest, url = `${PORTAL}captive-portal/api`) {
  const input = { url, address: '192.168.77.1', headers: CAPTIVE, timeoutMs: 4_000 };
  const { status, headers, body } = await asker.hand.call('http', input);
  return { status, type: headers['content-type'], state: JSON.parse(body) as Record<string, unknown> };
}

t.test('before payment every probe of every system is sent to the page, and the API says captive', async (t) => {
  for (const family of [4, 6] as const) {
    for (const { system, status, location } of await probeAll(family)) {
      t.strictSame({ status, location }, { status: 302, location: PORTAL }, `${system} over IPv${family}`);
    }
  }
  t.equal(guest.addresses.captiveUrl, scene.captiveUrl, 'DHCP option 114');
  const { status, type, state } = await captiveState();
  t.match({ status, type, state }, { status: 200, type: 'application/captive+json', state: { captive: true } });
  t.notOk('bytes-remaining' in state);
});

t.test('before payment https is refused at once, by TCP reset and never by another certificate', async (t) => {
  for (const address of [guest.server.ip4, guest.server.ip6]) {
    const tookMs: number[] = [];
    for (let n = 0; n < 5; n++) {
      const beganMs = performance.now();
      const { outcome } = await guest.hand.call('connect', { address, port: 443, timeoutMs: 3_000 });
      tookMs.push(performance.now() - beganMs);
      t.equal(outcome, 'refused');
    }
    // A packet that was dropped is sent again after a second, every time; a busy machine is not that slow every time.
    t.ok(Math.min(...tookMs) < 1_000, `after ${tookMs.map(Math.round)} ms`);
  }
});

const hasNetworkManager = existsSync('/usr/sbin/NetworkManager') && hasBusDaemon;
const skip = hasNetworkManager ? false : 'needs network-manager and dbus: sh tools/install-packages test';
t.test("NetworkManager's own check sees the portal before and none after payment", { skip }, async (t) => {
  const manager = await startNetworkManager(scene.lab, other);
  t.teardown(() => manager.stop());
  t.equal(await manager.connectivity(), 'portal');
  await other.buy(3n);
  await until('service', 10_000, () => other.reaches(4));
  t.equal(await manager.connectivity(), 'full');
  await other.portal.leave();
  await until('the end of service', 10_000, async () => !(await other.reaches(4)));
  t.equal(await manager.connectivity(), 'portal', 'and the portal again when the session has ended');
});

t.test(
  "systemd-networkd's lease leads to the portal before payment and to none after it",
  { skip: whyNo },
  async (t) => {
    const networkd = await startNetworkd(scene.lab, laptop);
    t.teardown(() => networkd.stop());
    /** What networkd shows, and what the API there says: whoever asks networkd asks that next (RFC 8910, section 3). */
    const detect = async () => {
      const url = (await networkd.captivePortal()) ?? '';
      const { type, state } = await captiveState(laptop, url);
      return { url, type, isCaptive: state['captive'], portal: state['user-portal-url'] };
    };
    const before = { url: scene.captiveUrl, type: 'application/captive+json', isCaptive: true, portal: PORTAL };
    t.strictSame(await detect(), before);
    await laptop.buy(3n);
    await until('service', 10_000, () => laptop.reaches(4));
    t.strictSame(await detect(), { ...before, isCaptive: false }, 'no portal any more');
    await networkd.renew();
    t.strictSame(
      await detect(),
      { ...before, isCaptive: false },
      'nor after the lease was renewed; where to ask stays known',
    );
    t.ok(await laptop.reaches(4));
    await laptop.portal.leave();
    await until('the end of service', 10_000, async () => !(await laptop.reaches(4)));
    t.strictSame(await detect(), before, 'and the portal again when the session has ended');
  },
);

t.test('after payment no probe is touched, and the API tells what is left to the byte', async (t) => {
  await guest.buy(3n);
  await until('service over both families', 10_000, async () => (await guest.reaches(4)) && (await guest.reaches(6)));
  for (const family of [4, 6] as const) {
    for (const { system, status, location } of await probeAll(family)) {
      const isOnline = status === 200 || status === 204;
      t.ok(isOnline && location === undefined, `${system} over IPv${family} reaches the internet: ${status}`);
    }
  }
  // Asked between two looks that agree: the meter may learn of the last packets in between.
  const [state, bytesRemaining] = await until('the meter to rest', 10_000, async () => {
    const before = await guest.portal.view();
    const { state } = await captiveState();
    const after = await guest.portal.view();
    return before.bytesRemaining === after.bytesRemaining && ([state, after.bytesRemaining] as const);
  });
  t.match(state, { captive: false, 'user-portal-url': PORTAL, 'can-extend-session': true });
  t.equal(BigInt(state['bytes-remaining'] as number), bytesRemaining);
});

t.test('at the last tenth the view warns, and the API tells the phone the same number', async (t) => {
  const seen: boolean[] = [];
  const stop = await guest.portal.follow('warning', (view) => void (view !== undefined && seen.push(view.isLow)));
  t.teardown(() => stop());
  await guest.download(4, 2_600_000);
  await until('the warning by event stream', 10_000, () => seen.includes(true));
  t.equal(seen[0], false, 'not before');
  const { state } = await captiveState();
  t.equal(state['captive'], false, 'still online');
  t.ok((state['bytes-remaining'] as number) <= 300_000, `${state['bytes-remaining']} bytes left`);
});
