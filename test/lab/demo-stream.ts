/** The demo's fourth chapter: a second guest pays as it goes, voucher by voucher, and is never cut. */
import type { Guest } from './guest.ts';
import { grouped, type Story } from './story.ts';
import { VoucherStream } from './stream.ts';

const DEPOSIT_UNITS = 20_000n;
const DOWNLOAD_BYTES = 10_000_000;
const BYTES_PER_S = 1_600_000;
/** Credit ahead of the charge that the page's rule may reach: two steps of two seconds at this speed, and one of slack. */
const MOST_AHEAD_UNITS = 12_000n;

export async function tellStream(story: Story, guest: Guest): Promise<void> {
  await story.step('a laptop joins and pays as it goes', async () => {
    await guest.join();
    const { creditUnits } = await guest.buy(1n, DEPOSIT_UNITS, 'stream');
    return `deposit ${grouped(DEPOSIT_UNITS)} units, first voucher over ${grouped(creditUnits)}`;
  });
  await story.step('it downloads over IPv6 while its page signs vouchers', async () => {
    const { quote } = await guest.portal.terms();
    const stream = new VoucherStream(guest.portal);
    await stream.start(quote.unitsPerMb);
    const end = await guest.finish(await guest.startDownload(6, DOWNLOAD_BYTES, BYTES_PER_S), 30_000);
    const { vouchers, mostAheadUnits } = await stream.close();
    story.promise('vouchers streamed', '>= 3', `${vouchers}`, vouchers >= 3);
    const isIntact = end.isIntact && end.bytes === DOWNLOAD_BYTES;
    story.promise(
      'download while streaming',
      `${grouped(DOWNLOAD_BYTES)} bytes intact`,
      `${grouped(end.bytes)} bytes ${end.isIntact ? 'intact' : 'damaged'}`,
      isIntact,
    );
    const isBounded = mostAheadUnits <= MOST_AHEAD_UNITS;
    story.promise('most units at risk', `<= ${grouped(MOST_AHEAD_UNITS)}`, grouped(mostAheadUnits), isBounded);
    return `${vouchers} vouchers, at most ${grouped(mostAheadUnits)} units ahead of the meter`;
  });
}
