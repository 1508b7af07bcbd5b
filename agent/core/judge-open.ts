/**
 * Whether the router relays a guest's open request: everything that costs no signature check and no chain call.
 * The caller then checks quote, voucher and authorisation signatures, and only then spends gas.
 */
import { channelId } from '../../protocol/channel.ts';
import type { OpenTerms } from '../../protocol/open-wire.ts';
import type { AgentConfig } from './config.ts';
import { MAX_SESSIONS } from './limits.ts';
import type { Channel, Mac, NodeIdentity } from './model.ts';
import { judgeFloat, judgeOpenLimits } from './open-limits.ts';
import { judgePulls } from './pending-pulls.ts';
import { type Refused, refuse } from './refusal.ts';
import { type AgentState, channelOfSession, sessionOfMac } from './state.ts';

export type OpenRefusal =
  | 'bad-quote'
  | 'quote-expired'
  | 'config-mismatch'
  | 'deposit-too-small'
  | 'voucher-below-open-fee'
  | 'already-open'
  | 'too-many-opens'
  | 'not-selling';

export type OpenJudgement = { readonly ok: true; readonly channel: Channel } | Refused<OpenRefusal>;

/** `nowS`: wall clock, or undefined while it is not trusted (then no quote is refused for its age). */
export function judgeOpen(
  state: AgentState,
  config: AgentConfig,
  node: NodeIdentity,
  mac: Mac,
  request: OpenTerms,
  nowMs: number,
  nowS: bigint | undefined,
): OpenJudgement {
  const quoteRefusal = judgeQuote(request, node, config, nowS);
  if (quoteRefusal !== undefined) return quoteRefusal;
  const id = channelId({ chainId: config.chain.chainId, channels: config.chain.channels }, request.config);
  if (request.voucher.channelId !== id) {
    return refuse('config-mismatch', `a first voucher for channel ${id}`, request.voucher.channelId);
  }
  const moneyRefusal = judgeMoney(request);
  if (moneyRefusal !== undefined) return moneyRefusal;
  const current = sessionOfMac(state, mac);
  const currentChannel = current === undefined ? undefined : channelOfSession(state, current);
  // A failed open may be asked for again: the chain may have become reachable, or the deposit have come late.
  const known = state.channels.get(id);
  if (
    (known !== undefined && known.phase !== 'failed') ||
    (currentChannel !== undefined && current?.ended === undefined)
  ) {
    return refuse('already-open', 'no open channel for this device', currentChannel?.id ?? id);
  }
  if (state.sessions.size >= MAX_SESSIONS)
    return refuse('not-selling', `fewer than ${MAX_SESSIONS} sessions`, `${state.sessions.size}`);
  const limit =
    'pull' in request
      ? (judgeFloat(state, node.device) ?? judgePulls(state, mac))
      : judgeOpenLimits(state, node.device, mac, nowMs);
  if (limit !== undefined) return limit;
  return { ok: true, channel: channelFrom(id, request) };
}

function judgeQuote(
  { quote, config: channelConfig }: OpenTerms,
  node: NodeIdentity,
  config: AgentConfig,
  nowS: bigint | undefined,
): OpenJudgement | undefined {
  if (quote.device !== node.device) return refuse('bad-quote', `a quote of this router, ${node.device}`, quote.device);
  if (quote.token !== config.chain.token) return refuse('bad-quote', `token ${config.chain.token}`, quote.token);
  if (nowS !== undefined && nowS > quote.validUntil) {
    return refuse('quote-expired', 'a quote that is still valid', `${nowS - quote.validUntil} s too old`);
  }
  const fields = ['payee', 'device', 'expiry', 'exitDelay'] as const;
  for (const field of fields) {
    if (channelConfig[field] !== quote[field]) {
      return refuse('config-mismatch', `${field} ${quote[field]} as quoted`, `${channelConfig[field]}`);
    }
  }
  return undefined;
}

function judgeMoney({ quote, deposit, voucher }: OpenTerms): OpenJudgement | undefined {
  if (deposit < quote.minDeposit)
    return refuse('deposit-too-small', `at least ${quote.minDeposit} units`, `${deposit}`);
  if (voucher.amount < quote.openFee)
    return refuse('voucher-below-open-fee', `at least ${quote.openFee} units`, `${voucher.amount}`);
  if (voucher.amount > deposit)
    return refuse('config-mismatch', `a first voucher of at most ${deposit}`, `${voucher.amount}`);
  if (voucher.ackBytes !== 0n)
    return refuse('config-mismatch', 'a first voucher that acknowledges 0 bytes', `${voucher.ackBytes}`);
  return undefined;
}

function channelFrom(id: Channel['id'], request: OpenTerms): Channel {
  const { unitsPerMb, unitsPerMinute, openFee } = request.quote;
  return {
    id,
    config: request.config,
    mode: request.mode,
    tariff: { unitsPerMb, unitsPerMinute },
    openFee,
    phase: 'pending',
    deposit: 0n,
    voucher: request.voucher,
  };
}
