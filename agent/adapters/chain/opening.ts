/** Relays a guest's deposit by whichever standard it was signed. Idempotent: what is deposited already is a success. */
import { type ChannelConfig, type ChannelsDeployment, channelId, depositNonce } from '../../../protocol/channel.ts';
import type { SignedAuthorization } from '../../../protocol/funding.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { MAX_UINT64 } from '../../../protocol/units.ts';
import type { ChainTx, OpenDeposit } from '../../ports.ts';
import { ChainError, refused } from './chain-error.ts';
import { OPENED_TOPIC, openData, TOPPED_UP_TOPIC } from './channels-contract.ts';
import { type ChainContext, execute, feeOf } from './context.ts';
import { openWithPermit2Data, openWithPermitData } from './funding-calls.ts';

type Opening = { readonly data: Hex; readonly purpose: string; readonly isDone: () => Promise<boolean> };

/** Deposits of one channel that are tried when looking for the number behind an authorisation's nonce. */
const MAX_DEPOSITS = 64n;

/** @throws ChainError; with a fee of 0 if nothing was signed for it, as far as the log goes back */
export async function open(context: ChainContext, config: ChannelConfig, deposit: OpenDeposit): Promise<ChainTx> {
  const id = channelId(context.deployment, config);
  const opening = openingFor(context, id, config, deposit);
  try {
    await context.reader.checkDeployment();
    return await relayed(context, id, opening);
  } catch (error) {
    if (!(error instanceof ChainError) || error.feeWei !== undefined) throw error;
    if (context.log.live().some((tx) => tx.purpose === opening.purpose)) throw error;
    throw new ChainError(error.code, error.message, { cause: error, feeWei: 0n });
  }
}

async function relayed(context: ChainContext, id: Hex, { data, purpose, isDone }: Opening): Promise<ChainTx> {
  const found = async () => ({
    tx: await context.reader.findTx(id, [OPENED_TOPIC, TOPPED_UP_TOPIC]),
    feeWei: feeOf(context, purpose),
  });
  if (await isDone()) return found();
  const beforeWei = feeOf(context, purpose);
  try {
    return await execute(context, data, purpose);
  } catch (error) {
    // An earlier transaction of ours, or the payer's own relayer, may have been mined since: then it is done.
    if (!(error instanceof ChainError)) throw error;
    if (await isDone()) return found();
    if (error.code !== 'CHAIN_REFUSED') throw error;
    const feeWei = feeOf(context, purpose) - beforeWei;
    throw new ChainError(error.code, error.message, { cause: error, feeWei });
  }
}

function openingFor(context: ChainContext, id: Hex, config: ChannelConfig, deposit: OpenDeposit): Opening {
  const { deployment, reader } = context;
  if (!('standard' in deposit)) {
    const n = depositNumber(deployment, id, deposit);
    return {
      data: openData(config, deposit, n),
      purpose: `open:${id}:${n}`,
      isDone: async () => (await reader.isUsed(deposit)) && (await holds(context, id, 1n)),
    };
  }
  // Both open a channel, with its first deposit: more than that is asked for in another request.
  const data =
    deposit.standard === 'eip-2612' ? openWithPermitData(config, deposit) : openWithPermit2Data(config, deposit, 0n);
  return { data, purpose: `open:${id}:0`, isDone: () => holds(context, id, deposit.amount) };
}

async function holds({ reader }: ChainContext, id: Hex, amount: bigint): Promise<boolean> {
  const { deposit, isClosed } = await reader.channel(id);
  return deposit >= amount && !isClosed;
}

/** @throws ChainError if the authorisation is not for this channel; the contract would refuse it, too. */
function depositNumber(deployment: ChannelsDeployment, id: Hex, authorization: SignedAuthorization): bigint {
  const { to, value, nonce } = authorization;
  if (to !== deployment.channels) throw refused(`authorization pays ${to}, must pay ${deployment.channels}`);
  if (value > MAX_UINT64) throw refused(`authorization pays ${value} units, at most ${MAX_UINT64} fit a channel`);
  for (let n = 0n; n < MAX_DEPOSITS; n++) if (depositNonce(id, n) === nonce) return n;
  throw refused(`authorization nonce ${nonce} belongs to another channel than ${id}`);
}
