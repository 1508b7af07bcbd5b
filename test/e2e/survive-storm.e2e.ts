/** kill -9 at moments nobody chose, in the middle of opening, paying and leaving: no unpaid byte, no lost credit. */
import t from 'tap';
import type { View } from '../../captive-portal/page/wire.ts';
import { DEPOSIT_UNITS } from '../lab/guest.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { pause, until } from '../lab/wait.ts';

/** 0.1 MB a voucher. */
const STEP_UNITS = 100n;
const KILLS = 4;
const BYTES_PER_S = 800_000;
const scene = await openTestScene({ options: { session: { sample_ms: '200', flush: '2s' } } });
const { guest, agent, chain } = scene;
await guest.join();
const { quote } = await guest.portal.terms();
/** Highest amount that the router has said yes to: credit that must never be lost. */
let acknowledged = quote.openFee + 10n * STEP_UNITS;
let channelId: View['channelId'];

async function killAfter(ms: number): Promise<void> {
  await pause(ms);
  await agent.kill();
  await agent.start();
}

t.test('killed while it opens a channel, the router opens it once, and the guest pays once', async (t) => {
  const opening = guest.portal.openPatiently(guest.passCode.code, DEPOSIT_UNITS, acknowledged, 'stream');
  await Promise.all([opening, killAfter(350)]);
  const view = await guest.viewWhere('credit', 20_000, ({ creditUnits }) => creditUnits > 0n);
  channelId = view.channelId;
  t.equal(view.creditUnits, acknowledged);
  t.equal((await chain.channel(channelId ?? '0x')).deposit, DEPOSIT_UNITS);
  t.equal(await chain.balanceOf(guest.passCode.address), 200_000n - DEPOSIT_UNITS);
});

t.test('killed again and again while vouchers stream, it keeps every one that it has accepted', async (t) => {
  const flow = await guest.startDownload(4, 30_000_000, BYTES_PER_S);
  let isOver = false;
  const streaming = (async () => {
    while (!isOver) {
      // Refused connections are what a killed agent looks like; the guest simply goes on.
      const view = await guest.portal.view().catch(() => undefined);
      const isAhead = view !== undefined && view.creditUnits - view.chargedUnits > 8n * STEP_UNITS;
      if (view === undefined || isAhead) await pause(50);
      else {
        guest.portal.resume(view);
        await guest.portal.addUnits(STEP_UNITS, view).then(
          ({ creditUnits }) => (acknowledged = creditUnits > acknowledged ? creditUnits : acknowledged),
          () => undefined,
        );
      }
    }
  })();
  for (let i = 0; i < KILLS; i++) {
    await pause(150 + ((i * 397) % 800));
    await agent.kill();
    const before = acknowledged;
    await agent.start();
    const { creditUnits } = await agent.sessionOf(guest.mac);
    t.ok(creditUnits >= before, `credit ${creditUnits}, acknowledged ${before}`);
  }
  isOver = true;
  await streaming;
  await guest.hand.call('abort', { flow });
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
  const { creditUnits } = await agent.sessionOf(guest.mac);
  const paidBytes = ((creditUnits - quote.openFee) * 1_000_000n) / quote.unitsPerMb;
  t.ok(passed <= paidBytes, `${paidBytes - passed} bytes short of what was paid`);
  t.ok(acknowledged > quote.openFee + 12n * STEP_UNITS, 'vouchers did stream');
});

t.test('killed while the guest leaves, it closes the channel once and gives back the rest', async (t) => {
  const { passed } = await passedAndMetered(scene, guest);
  const leaving = guest.portal.leave().catch(() => undefined);
  await killAfter(30);
  await leaving;
  await until('the channel to be closed on chain', 40_000, async () => {
    const { isClosed } = await chain.channel(channelId ?? '0x');
    // The request may have died with the agent: then the guest presses the button again.
    if (!isClosed) await guest.portal.leave().catch(() => undefined);
    return isClosed;
  });
  const { claimed } = await chain.channel(channelId ?? '0x');
  t.equal(claimed, quote.openFee + (passed * quote.unitsPerMb + 999_999n) / 1_000_000n);
  t.equal(await chain.balanceOf(guest.passCode.address), 200_000n - claimed);
});
