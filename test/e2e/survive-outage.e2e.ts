/** ubus, dnsmasq, chain and uplink come and go; who has paid goes on, and nothing owed is forgotten. */
import t from 'tap';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { setUplink } from '../lab/world.ts';

const scene = await openTestScene();
const { guest, other, agent, bus, chain, world } = scene;
await guest.join();
await guest.buy(10n);

t.test('without ubus a paid guest surfs on, and the agent says that the bus is away', async (t) => {
  await bus.setPresent(false);
  await until('the agent to miss the bus', 10_000, async () => !(await agent.status()).isBusConnected);
  t.match(await guest.download(4, 1_000_000), { isIntact: true });
});

t.test('when ubus is back the agent hears of the next guest', async (t) => {
  await bus.setPresent(true);
  await until('the agent to hear the bus again', 20_000, async () => (await agent.status()).isBusConnected);
  await other.join();
  await other.buy(10n);
  t.match(await other.download(6, 500_000), { isIntact: true });
});

t.test('a restart of dnsmasq does not disturb a session', async (t) => {
  const flow = await guest.startDownload(4, 1_500_000, 1_000_000);
  await world.dnsmasq.restart();
  t.match(await guest.finish(flow, 15_000), { isIntact: true });
  t.equal(await guest.reaches(6), true);
});

t.test('while the chain is away credit is served and topped up', async (t) => {
  await chain.setReachable(false);
  const view = await guest.topUp(2n);
  t.equal(view.creditUnits, 500n + 12_000n);
  t.match(await guest.download(6, 1_000_000), { isIntact: true });
});

t.test('who leaves while the chain is away is refunded when it is back', async (t) => {
  const before = await chain.balanceOf(other.passCode.address);
  const left = await other.portal.leave();
  t.not(left.phase, 'settled');
  await until('a close that found no chain', 15_000, () => agent.countLogged('channel-close-refused') > 0);
  await chain.setReachable(true);
  const view = await other.viewWhere('the channel to be settled', 60_000, ({ phase }) => phase === 'settled');
  const { quote } = await guest.portal.terms();
  const used = view.downBytes + view.upBytes;
  const owed = quote.openFee + (used * quote.unitsPerMb + 999_999n) / 1_000_000n;
  t.equal((await chain.balanceOf(other.passCode.address)) - before, view.depositUnits - owed);
});

t.test('with the uplink down the portal answers, vouchers count, and nothing is charged', async (t) => {
  await setUplink(world, false);
  const before = await guest.portal.view();
  const view = await guest.topUp(1n);
  t.equal(view.creditUnits, before.creditUnits + 1_000n);
  t.equal(await guest.reaches(4), false);
  await setUplink(world, true);
  await until('the uplink to carry again', 10_000, () => guest.reaches(4));
  t.match(await guest.download(4, 1_000_000), { isIntact: true });
  const { metered, passed } = await passedAndMetered(scene, guest);
  // What the guest sent into the dead uplink was metered at the router and arrived nowhere: a few hundred bytes of SYNs.
  t.ok(metered >= passed && metered - passed < 2_000n, `${metered - passed} bytes went into the dead uplink`);
});
