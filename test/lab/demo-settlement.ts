/** The demo's last chapter: both guests leave, the chain pays owner and guests, the proofs are accepted. */
import { knockEverywhere } from './demo-arrival.ts';
import type { Figures } from './demo-figures.ts';
import type { Guest } from './guest.ts';
import { passedAndMetered } from './passed.ts';
import type { Scene } from './scene.ts';
import { grouped, type Story } from './story.ts';
import { until } from './wait.ts';
import { difference, readBeyond, sumOf } from './wire.ts';

/** The last interval must end, and its proof be sent and judged. */
const MOST_PROOF_SECONDS = 15;

export async function tellSettlement(
  story: Story,
  scene: Scene,
  guests: readonly [Guest, Guest],
  figures: Figures,
): Promise<void> {
  const [phone, laptop] = guests;
  await story.step('the last figures before they leave', async () => {
    await addTotals(scene, phone, figures);
    await addTotals(scene, laptop, figures);
    const isExact = figures.meteredBytes === figures.wireBytes;
    story.promise('both guests: metered = wire', grouped(figures.wireBytes), grouped(figures.meteredBytes), isExact);
    const isCovered = figures.meteredBytes <= figures.paidBytes;
    story.promise(
      'both guests: metered <= paid',
      `<= ${grouped(figures.paidBytes)}`,
      grouped(figures.meteredBytes),
      isCovered,
    );
    return `metered ${grouped(figures.meteredBytes)}, wire ${grouped(figures.wireBytes)}, paid ${grouped(figures.paidBytes)} bytes`;
  });
  await story.step('they leave: channels closed on chain, the rest refunded', async () => {
    const refunds = [await leave(story, scene, phone, 'phone'), await leave(story, scene, laptop, 'laptop')];
    figures.vouchers = phone.portal.vouchers + laptop.portal.vouchers;
    figures.refundUnits = refunds.reduce((sum, units) => sum + units, 0n);
    return `refunded ${refunds.map(grouped).join(' and ')} units`;
  });
  await story.step('after leaving the phone is stopped again', async () => {
    const before = await readBeyond(scene.world.internet, phone.host.index);
    await knockEverywhere(phone);
    const escaped = sumOf(difference(await readBeyond(scene.world.internet, phone.host.index), before));
    story.promise('bytes out after leaving', '0', `${escaped}`, escaped === 0n);
    return `blocked: ${escaped} bytes reached the internet`;
  });
  await story.step('the traffic proofs reach the collector', async () => await proofs(story, scene, figures));
}

async function addTotals(scene: Scene, guest: Guest, figures: Figures): Promise<void> {
  const { passed, metered } = await passedAndMetered(scene, guest);
  const { quote } = await guest.portal.terms();
  const creditUnits = guest.portal.lastVoucher?.amount ?? 0n;
  const paidBytes = ((creditUnits - quote.openFee) * 1_000_000n) / quote.unitsPerMb;
  figures.paidBytes += paidBytes;
  figures.meteredBytes += metered;
  figures.wireBytes += passed;
  if (passed > paidBytes) figures.overshootBytes += passed - paidBytes;
}

/** Units that came back to the pass code. */
async function leave(story: Story, scene: Scene, guest: Guest, name: string): Promise<bigint> {
  const { quote } = await guest.portal.terms();
  const before = await scene.chain.balanceOf(guest.passCode.address);
  const last = await guest.portal.leave();
  const view = await guest.viewWhere(`${name}’s channel to be settled`, 20_000, ({ phase }) => phase === 'settled');
  const channelId = last.channelId ?? view.channelId ?? '0x';
  const { isClosed, claimed, deposit } = await scene.chain.channel(channelId);
  const refund = (await scene.chain.balanceOf(guest.passCode.address)) - before;
  const used = view.downBytes + view.upBytes;
  const owed = quote.openFee + (used * quote.unitsPerMb + 999_999n) / 1_000_000n;
  story.promise(
    `${name}: channel on chain`,
    `closed, ${grouped(owed)} claimed`,
    `${isClosed ? 'closed' : 'open'}, ${grouped(claimed)} claimed`,
    isClosed && claimed === owed,
  );
  const rest = view.depositUnits - owed;
  story.promise(`${name}: refunded`, grouped(rest), grouped(refund), refund === rest && deposit >= claimed);
  return refund;
}

async function proofs(story: Story, scene: Scene, figures: Figures): Promise<string> {
  const accepted = await until('proofs over all bytes with receipts', MOST_PROOF_SECONDS * 1_000, async () => {
    const all = await scene.agent.proofs();
    const valid = all.filter(({ receipt }) => receipt?.verdict === 'valid');
    const proven = valid.reduce((sum, { proof }) => sum + proof.bytesDown + proof.bytesUp, 0n);
    return proven >= figures.meteredBytes ? { all, valid, proven } : undefined;
  });
  figures.proofsAccepted = accepted.valid.length;
  const rejected = accepted.all.filter(({ receipt }) => receipt !== undefined && receipt.verdict !== 'valid');
  story.promise(
    'bytes in accepted proofs',
    grouped(figures.meteredBytes),
    grouped(accepted.proven),
    accepted.proven === figures.meteredBytes,
  );
  story.promise('proofs rejected', '0', `${rejected.length}`, rejected.length === 0);
  const paid = accepted.valid.reduce((sum, { proof }) => sum + proof.paid, 0n);
  const earned = (await scene.agent.status()).settledUnits;
  story.promise('units in accepted proofs', `${grouped(earned)} as settled`, grouped(paid), paid === earned);
  const kept = await scene.collector.countValid();
  story.promise(
    'verdicts kept by the collector',
    `${accepted.valid.length} valid or more`,
    `${kept} valid`,
    kept >= accepted.valid.length,
  );
  return `${accepted.valid.length} proofs signed, uploaded, verified, receipts in hand: ${grouped(accepted.proven)} bytes, ${grouped(paid)} units`;
}
