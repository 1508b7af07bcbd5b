/**
 * kill -9 of the agent at every labelled step of opening, paying and pausing, one after the other, while another guest
 * surfs: on the real packet filter, with a real journal and a real chain. No unpaid byte, no lost credit, no cut connection.
 */
import t from 'tap';
import { DEPOSIT_UNITS } from '../lab/guest.ts';
import { LABELS } from '../lab/labelled-steps.ts';
import { MortalStory } from '../lab/mortal-story.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { until } from '../lab/wait.ts';

const STEP_UNITS = 200n;
/** What the paying guest downloads meanwhile. */
const OWN_BYTES = 500_000;
const OWN_BYTES_PER_S = 60_000;
const story = await MortalStory.begin();
const { scene, mortal, surfer, payer } = story;
const { agent, chain } = scene;
let ownFlow = '';

async function payMore(): Promise<void> {
  const wanted = story.acknowledgedUnits + STEP_UNITS;
  story.signedUnits = wanted;
  const pay = async () => {
    const view = await payer.portal.view();
    payer.portal.resume(view);
    await payer.portal.addUnits(wanted - (view.lastVoucher?.amount ?? 0n), view);
  };
  await story.insist('the voucher to be taken', pay, ({ creditUnits }) => creditUnits === wanted);
  story.acknowledgedUnits = wanted;
}

async function setPaused(isPaused: boolean): Promise<void> {
  const path = isPaused ? '/api/pause' : '/api/resume';
  await story.insist(
    path,
    () => payer.portal.request(path, {}),
    ({ isOnline }) => isOnline !== isPaused,
  );
}

t.test('at its start', async (t) => {
  for (const label of LABELS.start) await mortal.dieAtStart(label);
  await agent.start();
  t.equal((await surfer.flow(story.flow)).error, undefined);
});

t.test('while a channel is opened', async (t) => {
  // A deposit that is on chain would be found by itself: until all is sent, no block is mined.
  await chain.setMining(false);
  let opening: ReturnType<MortalStory['open']> | undefined;
  await story.dieInTurn(t, LABELS.open, () => {
    opening = story.open();
    opening.catch(() => undefined);
    return Promise.resolve();
  });
  mortal.fate.order({ label: LABELS.confirm[0], isHeld: true });
  await chain.setMining(true);
  await story.dieInTurn(t, LABELS.confirm, () => Promise.resolve());
  const view = await opening;
  t.equal(view?.creditUnits, story.signedUnits);
  t.equal((await chain.channel(view?.channelId ?? '0x')).deposit, DEPOSIT_UNITS);
  t.equal(await chain.balanceOf(payer.passCode.address), 200_000n - DEPOSIT_UNITS);
});

t.test('while vouchers stream', async (t) => {
  ownFlow = await payer.startDownload(4, OWN_BYTES, OWN_BYTES_PER_S);
  await story.dieInTurn(t, LABELS.voucher, payMore);
  for (const label of LABELS.topUp) await story.dieInTurn(t, [label], payMore);
  t.match(await payer.finish(ownFlow, 60_000), { isIntact: true, bytes: OWN_BYTES });
});

t.test('while a guest pauses and goes on, its own download waits and goes on with it', async (t) => {
  ownFlow = await payer.startDownload(4, OWN_BYTES, OWN_BYTES_PER_S);
  for (const label of LABELS.pause) {
    await story.dieInTurn(t, [label], () => setPaused(true));
    await setPaused(false);
  }
  for (const label of LABELS.resume) {
    await setPaused(true);
    await story.dieInTurn(t, [label], () => setPaused(false));
  }
  t.match(await payer.finish(ownFlow, 30_000), { isIntact: true, bytes: OWN_BYTES });
});

t.test('what passed for the paying guest is what was metered, and no more than was paid', async (t) => {
  t.match(await payer.download(4, 300_000), { isIntact: true }, 'it is served after the last pause');
  const { passed, metered } = await passedAndMetered(scene, payer);
  t.equal(metered, passed);
  t.ok(passed <= story.paidBytes(story.acknowledgedUnits));
  t.equal((await payer.portal.view()).creditUnits, story.acknowledgedUnits, 'all credit is there');
});

t.test('the connection that began before the first death still moves, and is cut at the last paid byte', async (t) => {
  const { bytes } = await surfer.flow(story.flow);
  await until('the flow to move', 5_000, async () => (await surfer.flow(story.flow)).bytes > bytes);
  t.match(await surfer.flow(story.flow), { isIntact: true, isDone: false });
  const rest = await surfer.startDownload(6, 30_000_000);
  await until('both flows to stand still at the quota', 30_000, async () => {
    const [first, second] = await Promise.all([surfer.flow(story.flow), surfer.flow(rest)]);
    return second.bytes > 0 && first.idleMs > 1_500 && second.idleMs > 1_500;
  });
  const { passed, metered } = await passedAndMetered(scene, surfer);
  const paid = story.paidBytes((await surfer.portal.view()).lastVoucher?.amount ?? 0n);
  t.equal(metered, passed);
  t.ok(passed <= paid, `${passed - paid} bytes beyond what was paid`);
  t.ok(paid - passed < 1_500n, `${paid - passed} bytes short of what was paid`);
});

t.test('back within 10 s after each death', (t) => {
  story.judge(t);
  t.end();
});
