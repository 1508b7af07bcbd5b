/** What is free, on a real kernel and a real dnsmasq: a garden by names, trials that share a slice of the line, and new MACs. */
import t from 'tap';
import { OTHER_PORT, serverOfGuest } from '../lab/addresses.ts';
import type { Guest } from '../lab/guest.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { settled, until } from '../lab/wait.ts';
import { readBeyond, readWire } from '../lab/wire.ts';

const GARDEN = 'www.example.com';
/** 8,000 kbit/s, of which 10 %: bytes/s of all trials together, each direction. */
const SHARE = 100_000;
/** What a limit lets through at once, each direction of each trial (RATE_BURST_BYTES). */
const BURST = 65_536;
const TRIAL = 3_000_000n;
const RUN_MS = 2_000;

const scene = await openTestScene({
  options: {
    price: { trial_bytes: `${TRIAL}`, trial_bytes_per_day: `${2n * TRIAL}` },
    trial: { line_down: '8000', line_up: '8000', share: '10' },
  },
});
const { guest, other, agent, world } = scene;
await Promise.all([guest.join(), other.join()]);

async function opens(from: Guest, address: string): Promise<boolean> {
  const { outcome } = await from.hand.call('connect', { address, port: OTHER_PORT, timeoutMs: 1_000 });
  return outcome === 'open';
}

/** Bytes that reached the guest, or came from it, beyond the router. */
async function passedOf(device: Guest): Promise<bigint> {
  return await settled('wire', 300, 5_000, async () => {
    const down = await readWire(device.host.host);
    const up = await readBeyond(world.internet, device.host.index);
    return down.down4 + down.down6 + up.up4 + up.up6;
  });
}

t.test('an unpaid guest reaches the garden by its name, over IPv4 and IPv6, and nothing else', async (t) => {
  // As the package's section `ipset` has OpenWrt write it.
  await world.dnsmasq.restart([`--nftset=/${GARDEN}/4#inet#shareagent#garden4,6#inet#shareagent#garden6`]);
  const { ip4, ip6 } = serverOfGuest(0);
  t.same([await opens(guest, ip4), await opens(guest, ip6)], [false, false], 'not before anybody asked for the name');
  t.equal(await guest.resolve(GARDEN, 4), ip4);
  t.equal(await guest.resolve(GARDEN, 6), ip6);
  t.same([await opens(guest, ip4), await opens(guest, ip6)], [true, true]);
  const elsewhere = serverOfGuest(1);
  t.same([await opens(guest, elsewhere.ip4), await opens(guest, elsewhere.ip6)], [false, false]);
  t.equal(agent.countLogged('nft-rules-changed'), 0, 'dnsmasq’s changes are none of the agent’s');
  // As guest-network does it when the name is taken out.
  await world.dnsmasq.restart();
  for (const name of ['garden4', 'garden6'])
    await world.router.must(['nft', 'flush', 'set', 'inet', 'shareagent', name]);
  t.same([await opens(guest, ip4), await opens(guest, ip6)], [false, false]);
});

t.test('two trials at once share their slice of the line', async (t) => {
  for (const one of [guest, other]) t.match(await one.portal.startTrial(), { phase: 'trial', isOnline: true });
  await until('service over IPv6', 5_000, () => other.reaches(6));
  const before = (await passedOf(guest)) + (await passedOf(other));
  const begunMs = performance.now();
  const flows = [
    { device: guest, flow: await guest.startDownload(4, 3_000_000) },
    { device: other, flow: await other.startDownload(6, 3_000_000) },
  ];
  await new Promise((resolve) => setTimeout(resolve, RUN_MS));
  for (const { device, flow } of flows) await device.hand.call('abort', { flow });
  const seconds = (performance.now() - begunMs) / 1_000;
  const passed = Number((await passedOf(guest)) + (await passedOf(other)) - before);
  // Acknowledgements go up under the other direction's limit.
  const most = 2 * (SHARE * (seconds + 0.5) + 2 * BURST);
  t.ok(passed <= most, `${passed} bytes in ${seconds.toFixed(1)} s, at most ${Math.round(most)}`);
  t.ok(passed >= (SHARE * seconds) / 4, `${passed} bytes in ${seconds.toFixed(1)} s is a service`);
});

t.test('another MAC gets nothing beyond the day’s bound', async (t) => {
  let phone: Guest = guest;
  const before = await passedOf(phone);
  for (const number of [1, 2]) {
    phone = await phone.changeMac(`02:bb:00:00:99:0${number}`);
    await t.rejects(phone.portal.startTrial(), /trial-used|used up by all devices/);
    t.equal(await opens(phone, phone.server.ip4), false);
  }
  // Refusals are the router's own.
  t.ok((await passedOf(phone)) - before < 20_000n);
  t.ok((await agent.sessions()).every(({ downBytes, upBytes }) => downBytes + upBytes <= TRIAL));
});
