/** The demo's third chapter: the paid bytes run out under a running download, and a top-up lets it go on. */
import type { Figures } from './demo-figures.ts';
import type { Guest } from './guest.ts';
import { passedBytes } from './passed.ts';
import type { Scene } from './scene.ts';
import { grouped, type Story } from './story.ts';
import { until } from './wait.ts';

const DOWNLOAD_BYTES = 12_000_000;
const TOP_UP_MEGABYTES = 12n;
/** Largest packet on the lab's links: what may be left unsold because it would not fit any more. */
const PACKET_BYTES = 1_500n;
/** Slow enough that the warning is seen before the cut. */
const BYTES_PER_S = 2_500_000;

export async function tellCut(story: Story, scene: Scene, guest: Guest, figures: Figures): Promise<void> {
  let flow = '';
  let isWarned = false;
  let remainingAtWarning = 0n;
  await story.step('a big download meets the end of the credit', async () => {
    const stop = await guest.portal.follow('warning', (view) => {
      if (view === undefined || isWarned || !view.isLow || view.bytesRemaining === 0n) return;
      isWarned = true;
      remainingAtWarning = view.bytesRemaining;
    });
    flow = await guest.startDownload(4, DOWNLOAD_BYTES, BYTES_PER_S);
    await until('the download to stand still', 20_000, async () => {
      const { bytes, idleMs } = await guest.flow(flow);
      return bytes > 1_000_000 && idleMs > 1_200;
    });
    await stop();
    story.promise(
      'warned before the cut',
      'yes',
      isWarned ? `${grouped(remainingAtWarning)} bytes before` : 'no',
      isWarned,
    );
    return `warned with ${grouped(remainingAtWarning)} bytes left, then the flow stood still`;
  });
  await story.step('what passed against what was paid', async () => {
    const { down, up } = await passedBytes(scene, guest);
    const passed = down + up;
    const paid = figures.phonePaidBytes;
    const overshoot = passed > paid ? passed - paid : 0n;
    figures.overshootBytes += overshoot;
    story.promise('bytes beyond the paid quota', '0', `${overshoot}`, overshoot === 0n);
    const unsold = paid - passed;
    story.promise(
      'cut exactly at the quota',
      `< ${PACKET_BYTES} unsold`,
      `${unsold} unsold`,
      unsold >= 0n && unsold < PACKET_BYTES,
    );
    return `paid ${grouped(paid)}, passed ${grouped(passed)} bytes`;
  });
  await story.step('it tops up, and the same download goes on', async () => {
    const before = await guest.flow(flow);
    const begunMs = performance.now();
    await guest.topUp(TOP_UP_MEGABYTES);
    figures.phonePaidBytes += TOP_UP_MEGABYTES * 1_000_000n;
    await until('the download to move again', 10_000, async () => (await guest.flow(flow)).bytes > before.bytes);
    const resumedMs = Math.round(performance.now() - begunMs);
    const end = await guest.finish(flow, 20_000);
    const isSame = end.isIntact && end.bytes === DOWNLOAD_BYTES;
    story.promise(
      'the same TCP flow goes on',
      `${grouped(DOWNLOAD_BYTES)} bytes intact`,
      `${grouped(end.bytes)} bytes ${end.isIntact ? 'intact' : 'damaged'}`,
      isSame,
    );
    return `moving again after ${resumedMs} ms, all ${grouped(end.bytes)} bytes intact`;
  });
}
