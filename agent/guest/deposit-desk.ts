/** What a payer's own wallet still has to do for the guest's channel: said by the state, nothing is signed. */
import type { AgentConfig } from '../core/config.ts';
import type { Mac } from '../core/model.ts';
import { type AgentState, channelOfSession, sessionOfMac } from '../core/state.ts';
import type { DepositRequest } from '../ports.ts';

/** Undefined unless a channel of this guest waits for its deposit. `units`: the least that will do. */
export function depositRequest(
  state: AgentState,
  { price }: Pick<AgentConfig, 'price'>,
  mac: Mac,
): DepositRequest | undefined {
  const session = sessionOfMac(state, mac);
  const channel = session === undefined ? undefined : channelOfSession(state, session);
  if (channel?.phase !== 'pending' || channel.deposit > 0n) return undefined;
  const { id, config, voucher } = channel;
  return { channelId: id, config, units: voucher.amount > price.minDeposit ? voucher.amount : price.minDeposit };
}
