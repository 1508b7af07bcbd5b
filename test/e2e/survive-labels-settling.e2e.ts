/**
 * kill -9 of the agent at every labelled step of proofs, of leaving and of repair, one after the other, while another guest
 * surfs: each byte is proven once, the channel is closed once, nothing that was paid is cut.
 */
import t from 'tap';
import { loadOrCreateKey } from '../../agent/adapters/device-key.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { UDP_ECHO_PORT } from '../lab/addresses.ts';
import { deviceKeyPath } from '../lab/agent.ts';
import { knockEverywhere } from '../lab/demo-arrival.ts';
import type { Guest } from '../lab/guest.ts';
import { LABELS } from '../lab/labelled-steps.ts';
import { MortalStory, PATIENCE_MS } from '../lab/mortal-story.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { settled, until } from '../lab/wait.ts';
import { difference, readBeyond, sumOf } from '../lab/wire.ts';

/** 10 SSP a portion, of which the router has many. */
const PORTION_UNITS = 100_000n;
const TRIAL_BYTES = 300_000;
const TAKER = '0x000000000000000000000000000000000000cafe';
const story = await MortalStory.begin({
  guests: 3,
  options: {
    price: { trial_bytes: `${TRIAL_BYTES}`, trial_bytes_per_day: `${TRIAL_BYTES}` },
    portal: { faucet: `${PORTION_UNITS / 10_000n}` },
  },
});
const { scene, mortal, surfer, payer } = story;
const { agent, chain, world } = scene;
const visitor = scene.guests[2] as Guest;
const { channelId = '0x' } = await story.open();
let payerBytes = 0n;

/** Whether a datagram from that address of the paying guest is answered from outside. */
async function answers(from: string): Promise<boolean> {
  const { received } = await payer.hand.call('udpSend', {
    address: payer.server.ip6,
    port: UDP_ECHO_PORT,
    size: 20,
    packets: 1,
    packetsPerS: 100,
    waitMs: 300,
    from: [from],
  });
  return received.packets > 0;
}

t.test('while a visitor begins the free trial', async (t) => {
  await visitor.join();
  await story.dieInTurn(t, LABELS.trial, () =>
    until('the trial to begin or to be used up', PATIENCE_MS, async () => {
      const { body } = await visitor.portal.request('/api/trial', {});
      return /trial-used/.test(body) || (await visitor.portal.view()).isOnline;
    }),
  );
  const flow = await visitor.startDownload(4, 2 * TRIAL_BYTES);
  const { bytes } = await until('it to be used up', 20_000, async () => {
    const state = await visitor.flow(flow);
    return state.bytes > 0 && state.idleMs > 1_500 ? state : undefined;
  });
  t.ok(bytes < TRIAL_BYTES, `${bytes} bytes: one trial, however often it died`);
  await visitor.hand.call('abort', { flow });
});

t.test('while the faucet gives a visitor money', async (t) => {
  await chain.give(addressFromSecretKey(loadOrCreateKey(deviceKeyPath(scene.lab))), 100n * PORTION_UNITS);
  let asked = 0n;
  await story.dieInTurn(t, LABELS.faucet, () =>
    until('the portion', PATIENCE_MS, async () => {
      if ((await chain.balanceOf(TAKER)) > 0n) return true;
      asked += 1n;
      await visitor.portal.request('/api/faucet', { v: 1, signer: TAKER }, 20_000);
      return false;
    }),
  );
  const given = await chain.balanceOf(TAKER);
  t.ok(given % PORTION_UNITS === 0n && given <= asked * PORTION_UNITS, `${given} units for being asked ${asked} times`);
});

t.test('while a guest takes another address', async (t) => {
  for (const [i, label] of LABELS.bind.entries()) {
    const address = `2001:db8:77:1::b${i}`;
    await payer.host.host.must(['ip', '-6', 'addr', 'add', `${address}/64`, 'dev', 'eth0', 'nodad']);
    await story.dieInTurn(t, [label], () => until('service from it', PATIENCE_MS, () => answers(address)));
  }
});

t.test('while usage is written, and proofs are signed and delivered', async (t) => {
  await story.dieInTurn(t, LABELS.proof, () => Promise.resolve());
});

t.test('while a guest leaves', async (t) => {
  await payer.download(4, 1_000_000);
  const { passed, metered } = await passedAndMetered(scene, payer);
  payerBytes = metered;
  t.equal(metered, passed);
  await story.dieInTurn(t, LABELS.leave, async () => {
    await until('the channel to be closed', PATIENCE_MS, async () => {
      await payer.portal.leave().catch(() => undefined);
      return (await chain.channel(channelId)).isClosed;
    });
    await until('it to be settled', PATIENCE_MS, async () => {
      const known = (await agent.channels()).find(({ id }) => id === channelId);
      return known === undefined || known.phase === 'settled';
    });
    // What is settled and proven is forgotten with the next change of anybody's credit.
    surfer.portal.resume(await surfer.portal.view());
    await surfer.topUp(1n).catch(() => undefined);
  });
  const { claimed } = await chain.channel(channelId);
  const { openFee, unitsPerMb } = story.quote;
  t.equal(claimed, openFee + (payerBytes * unitsPerMb + 999_999n) / 1_000_000n);
  t.equal(await chain.balanceOf(payer.passCode.address), 200_000n - claimed, 'the rest is refunded');
});

t.test('every byte is proven once, by one chain of proofs that the collector takes', async (t) => {
  t.match(await surfer.flow(story.flow), { isIntact: true, isDone: false });
  await surfer.hand.call('abort', { flow: story.flow });
  // Its own interface, not what came out beyond: the reset that ends a connection need not leave the router.
  const { wire, metered } = await settled('wire and meter', 500, 10_000, async () => {
    const { downBytes, upBytes } = await agent.meteredOf(surfer.mac);
    return { wire: sumOf(await surfer.wire()), metered: downBytes + upBytes };
  });
  t.equal(metered, wire, 'of the one that surfs too');
  const surfed = await agent.meteredOf(surfer.mac);
  const wanted = surfed.downBytes + surfed.upBytes + payerBytes;
  const proofs = await until('proofs over all bytes with receipts', 20_000, async () => {
    const all = await agent.proofs();
    const isDone = all.every(({ receipt }) => receipt !== undefined);
    return isDone && total(all.map(({ proof }) => proof.bytesDown + proof.bytesUp)) >= wanted ? all : undefined;
  });
  t.equal(total(proofs.map(({ proof }) => proof.bytesDown + proof.bytesUp)), wanted);
  t.same([...new Set(proofs.map(({ receipt }) => receipt?.verdict))], ['valid']);
  const numbers = proofs.map(({ proof }) => proof.seq).toSorted((a, b) => (a < b ? -1 : 1));
  const first = numbers[0] ?? 0n;
  t.same(
    numbers,
    numbers.map((_, i) => first + BigInt(i)),
  );
});

t.test('while the other one leaves', async (t) => {
  const { channelId: id = '0x' } = await surfer.portal.view();
  const { downBytes, upBytes } = await agent.meteredOf(surfer.mac);
  mortal.fate.order({ label: LABELS.settle[0], isHeld: false });
  await surfer.portal.leave().catch(() => undefined);
  const [first, second] = LABELS.settle;
  story.lives.push(await mortal.dieAt(first, second));
  story.lives.push(await mortal.dieAt(second));
  const { openFee, unitsPerMb } = story.quote;
  const { isClosed, claimed } = await chain.channel(id);
  t.ok(isClosed);
  t.equal(claimed, openFee + ((downBytes + upBytes) * unitsPerMb + 999_999n) / 1_000_000n);
  t.equal(await chain.balanceOf(surfer.passCode.address), 200_000n - claimed, 'the rest is refunded');
});

t.test('while it puts its vanished table up again', async (t) => {
  mortal.hasSurferLeft = true;
  for (const label of LABELS.repair) {
    await world.router.must(['nft', 'delete', 'table', 'inet', 'shareagent']);
    story.lives.push(await mortal.dieAt(label));
  }
  t.ok((await agent.status()).notSelling === undefined, 'and it sells');
  const before = await readBeyond(world.internet, payer.host.index);
  await knockEverywhere(payer);
  const escaped = difference(await readBeyond(world.internet, payer.host.index), before);
  t.equal(sumOf(escaped), 0n, 'who has left gets nothing');
});

t.test('back within 10 s after each death', (t) => {
  story.judge(t);
  t.end();
});

function total(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}
