/**
 * The end of a channel on chain, by whoever may bring it about: payee and device close it, with a last claim; from its
 * expiry on anyone gives the payer what was not claimed.
 */
import { type ChannelConfig, channelId, closeDigest } from '../../../protocol/channel.ts';
import type { Hex } from '../../../protocol/hex.ts';
import type { TokenAmount } from '../../../protocol/units.ts';
import type { SignedVoucher } from '../../../protocol/voucher.ts';
import type { ChainChannel, ChainClose, ChainTx, Signer } from '../../ports.ts';
import { ChainError, refused, unreachable } from './chain-error.ts';
import { CLOSED_TOPIC, closeData, closeWithSignatureData, reclaimData } from './channels-contract.ts';
import { UNKNOWN_TX } from './channels-reader.ts';
import { type ChainContext, execute, feeOf } from './context.ts';

/** How long after the expiry a channel that the chain does not hold is sure never to be held: no open is taken any more. */
const NEVER_OPENED_S = 3_600n;

/** Closes for `amount` in all. Done already, whoever did it, is a success; so is a channel that expired without a deposit. */
export async function close(
  context: ChainContext,
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
): Promise<ChainClose> {
  const id = channelId(context.deployment, config);
  const purpose = `close:${id}`;
  const closed = async (sent?: ChainTx): Promise<ChainClose | undefined> => {
    const seen = await context.reader.channel(id);
    if (!seen.isClosed) return undefined;
    const tx = sent ?? { tx: await context.reader.findTx(id, [CLOSED_TOPIC]), feeWei: feeOf(context, purpose) };
    return { ...tx, claimedUnits: seen.claimed };
  };
  const before = await closed();
  if (before !== undefined) return before;
  let done: ChainClose | undefined;
  try {
    const data = await endingData(context, id, config, voucher, amount);
    // One endpoint's receipt is not enough to forget the channel on.
    done = await closed(await execute(context, data, purpose));
  } catch (error) {
    // An earlier transaction of ours, or a reclaim, may have been mined since: then it is done.
    const isRefused = error instanceof ChainError;
    done = isRefused ? ((await closed()) ?? (await neverOpened(context, id, config))) : undefined;
    if (done === undefined) throw error;
  }
  if (done !== undefined) return done;
  throw unreachable(`the close of ${id} was mined by one endpoint's word, but the channel is not closed yet`);
}

/** A deposit that was rolled back, and cannot come any more: there is nothing to claim and nothing to give back. */
async function neverOpened(
  { reader, rpc }: ChainContext,
  id: Hex,
  { expiry }: ChannelConfig,
): Promise<ChainClose | undefined> {
  const seen = await reader.channel(id);
  if (seen.deposit > 0n || (await rpc.time()) < expiry + NEVER_OPENED_S) return undefined;
  return { tx: UNKNOWN_TX, feeWei: 0n, claimedUnits: 0n };
}

async function endingData(
  context: ChainContext,
  id: Hex,
  config: ChannelConfig,
  voucher: SignedVoucher,
  amount: TokenAmount,
): Promise<Hex> {
  const { deployment, gasKey, device } = context;
  const mayClose = ({ address }: Signer) => address === config.payee || address === config.device;
  if (mayClose(gasKey)) return closeData(config, voucher, amount);
  if (device !== undefined && mayClose(device)) {
    return closeWithSignatureData(config, voucher, amount, device.sign(closeDigest(deployment, id, amount)));
  }
  // A key that was replaced: nothing can be claimed by it, but what is not claimed still goes back.
  if (amount <= (await claimedOf(context, id)) && (await isExpired(context, config))) return reclaimData(config);
  throw refused(`channel ${id} can be closed by ${config.payee} or ${config.device}, and this router is neither`);
}

async function claimedOf({ reader }: ChainContext, id: Hex): Promise<ChainChannel['claimed']> {
  return (await reader.channel(id)).claimed;
}

async function isExpired({ rpc }: ChainContext, { expiry }: ChannelConfig): Promise<boolean> {
  return (await rpc.time()) >= expiry;
}
