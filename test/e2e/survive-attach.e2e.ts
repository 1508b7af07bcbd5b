/** A guest whose phone changed its MAC, or who has a second device, takes up the running session by its key; nobody else can. */
import t from 'tap';
import { ROUTER_GUEST_IP4 } from '../lab/addresses.ts';
import { knockEverywhere } from '../lab/demo-arrival.ts';
import type { Guest } from '../lab/guest.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { settled, until } from '../lab/wait.ts';
import { difference, readBeyond, readWire, sumOf } from '../lab/wire.ts';

const NEW_MAC = '02:bb:00:00:77:01';
const scene = await openTestScene({ options: { session: { sample_ms: '200' } } });
const { guest, other, agent, world, bus } = scene;
const { code } = guest.passCode;
const oldMac = guest.mac;
await Promise.all([guest.join(), other.join()]);
const { channelId } = await guest.buy(20n);
let phone: Guest = guest;

/** Bytes that pass for a device while it does something, seen from outside the router, and what the session grew by. */
async function grownBy(device: Guest, work: () => Promise<unknown>): Promise<{ passed: bigint; metered: bigint }> {
  const read = async () => {
    const wire = await readWire(device.host.host);
    const beyond = await readBeyond(world.internet, device.host.index);
    const { downBytes, upBytes } = await agent.meteredOf(device.mac);
    return { wire, beyond, metered: downBytes + upBytes };
  };
  const still = () => settled('wire and meter', 600, 10_000, read);
  const before = await still();
  await work();
  const after = await still();
  const down = difference(after.wire, before.wire);
  const up = difference(after.beyond, before.beyond);
  return { passed: down.down4 + down.down6 + up.up4 + up.up6, metered: after.metered - before.metered };
}

/** What reaches the internet or comes back from it for this device while it tries everything. */
async function gained(device: Guest): Promise<bigint> {
  const before = sumOf(await readBeyond(world.internet, device.host.index));
  await knockEverywhere(device);
  return sumOf(await readBeyond(world.internet, device.host.index)) - before;
}

t.test('a new MAC alone gets nothing, and with the pass code everything that is left', async (t) => {
  t.match(await guest.download(4, 3_000_000), { isIntact: true });
  await passedAndMetered(scene, guest);
  const before = await guest.portal.view();
  phone = await guest.changeMac(NEW_MAC);
  t.not(phone.addresses.ip4, guest.addresses.ip4, 'DHCP gave the new MAC another address');
  t.equal(await gained(phone), 0n);
  const after = await phone.portal.attach(code);
  t.equal(after.channelId, channelId);
  t.equal(after.bytesRemaining, before.bytesRemaining);
  t.equal(after.creditUnits, before.creditUnits);
  t.equal(after.isOnline, true);
  t.same((await agent.sessionOf(NEW_MAC)).macs, [NEW_MAC], 'the old MAC has made way');
});

t.test('the moved session is metered to the byte, over both families, and can be topped up', async (t) => {
  await phone.portal.terms();
  await until('service over IPv6', 10_000, () => phone.reaches(6));
  const { passed, metered } = await grownBy(phone, async () => {
    t.match(await phone.download(4, 1_000_000), { isIntact: true });
    t.match(await phone.download(6, 1_000_000), { isIntact: true });
    t.match(await phone.upload(4, 300_000), { isIntact: true });
  });
  t.equal(metered, passed);
  const before = await phone.portal.view();
  t.equal((await phone.topUp(2n)).bytesRemaining, before.bytesRemaining + 2_000_000n);
});

t.test('an overheard answer is worth nothing to another device, asked or not asked itself', async (t) => {
  const answer = await phone.portal.attachAnswer(code);
  const replay = async () => (await other.portal.request('/api/attach', answer)).body;
  t.match(JSON.parse(await replay()), { status: 409, reason: 'bad-challenge' });
  await other.portal.attachAnswer(code);
  t.match(JSON.parse(await replay()), { status: 409, reason: 'bad-challenge' });
  t.equal(await gained(other), 0n);
  t.equal((await phone.portal.request('/api/attach', answer)).status, 200, 'who was asked may answer');
  t.equal((await phone.portal.request('/api/attach', answer)).status, 409, 'once');
});

t.test('who has not the pass code cannot take the session up', async (t) => {
  const refused: unknown = await other.portal.attach(other.passCode.code).catch((error: unknown) => error);
  t.match(refused, { status: 204 });
  const { challenge, ch } = await other.portal.attachAnswer(code);
  const forged = { v: 1, ch, challenge, sig: `0x${'11'.repeat(64)}` };
  const answer = await other.portal.request('/api/attach', forged);
  t.match(JSON.parse(answer.body), { status: 422, reason: 'bad-signature' });
  t.equal(await gained(other), 0n);
});

t.test('the old MAC, with the old addresses, on another port gets 0 bytes', async (t) => {
  const before = await phone.portal.view();
  await other.leaveAir();
  await bus.stationJoined(other.host, oldMac);
  await other.host.host.script([
    'ip link set eth0 down',
    `ip link set eth0 address ${oldMac}`,
    'ip link set eth0 up',
    'ip addr flush dev eth0',
    `ip addr add ${guest.addresses.ip4}/24 dev eth0`,
    `ip route replace default via ${ROUTER_GUEST_IP4}`,
    `ip -6 addr add ${guest.addresses.ip6}/64 dev eth0 nodad`,
    'ip -6 route replace default via 2001:db8:77:1::1',
  ]);
  t.equal(await gained(other), 0n);
  t.equal((await phone.portal.view()).bytesRemaining, before.bytesRemaining, 'nor is the guest charged for it');
  await bus.stationLeft(other.host, oldMac);
  await other.host.host.script([
    'ip link set eth0 down',
    `ip link set eth0 address ${other.mac}`,
    'ip link set eth0 up',
  ]);
  await other.join();
});

t.test('the phone under its old MAC again gets nothing more, until it proves the key again', async (t) => {
  await passedAndMetered(scene, phone);
  const before = await phone.portal.view();
  phone = await phone.changeMac(oldMac);
  t.equal(await gained(phone), 0n);
  t.equal((await phone.portal.view()).phase, 'none');
  t.equal((await phone.portal.attach(code)).bytesRemaining, before.bytesRemaining);
  t.match(await phone.download(4, 500_000), { isIntact: true });
});

t.test('a second device joins beside the first, and both spend the same credit', async (t) => {
  const joined = await other.portal.attach(code);
  t.equal(joined.channelId, channelId);
  t.same([...(await agent.sessionOf(other.mac)).macs].sort(), [oldMac, other.mac].sort());
  const own = await grownBy(other, async () => t.match(await other.download(4, 700_000), { isIntact: true }));
  t.equal(own.metered, own.passed);
  const shared = await grownBy(phone, async () => t.match(await phone.download(4, 700_000), { isIntact: true }));
  t.equal(shared.metered, shared.passed);
  t.equal((await phone.portal.view()).bytesRemaining, (await other.portal.view()).bytesRemaining);
});

t.test('kill -9 of the agent leaves the session with the devices that proved the key', async (t) => {
  await agent.kill();
  await agent.start();
  t.match(await phone.download(4, 300_000), { isIntact: true });
  t.match(await other.download(4, 300_000), { isIntact: true });
  t.same([...(await agent.sessionOf(other.mac)).macs].sort(), [oldMac, other.mac].sort());
});
