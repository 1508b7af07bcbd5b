/** Why bytes earned nothing (yet), in words for the owner, and what to do about it. */
import type { Verdict } from '../../protocol/verdict.ts';

export type EarningReason =
  | Exclude<Verdict, 'valid'>
  | 'free'
  | 'open-interval'
  | 'not-signed'
  | 'held'
  | 'waiting'
  | 'week-running'
  | 'reward-unclaimed'
  | 'nothing-claimed'
  | 'reward-unknown';

/** `what`: a clause that follows a number of bytes. `todo`: a sentence. */
export type ReasonText = { readonly what: string; readonly todo: string };

export const EARNING_REASONS: Readonly<Record<EarningReason, ReasonText>> = {
  free: {
    what: 'free, in trials that run',
    todo: 'Nothing. The price section of the configuration says how much is free.',
  },
  'open-interval': {
    what: 'in the interval that is running',
    todo: 'Nothing: it is closed and signed within proofs.interval.',
  },
  'not-signed': {
    what: 'in closed intervals that are not signed yet',
    todo: 'Wait. They are signed once the collector answers; if it never does, look at the uplink and at proofs.collector_url.',
  },
  held: {
    what: 'not signed, because proofs are held',
    todo: 'Repair the journal that "shareagent status" names: a second proof under an old number would count as fraud.',
  },
  waiting: {
    what: 'proven, and waiting for the collector',
    todo: 'Wait. If it stays: set proofs.collector_url and proofs.collector, and see if the collector can be reached.',
  },
  duplicate: {
    what: 'proven twice, counted once',
    todo: 'Nothing: the first proof counts.',
  },
  gap: {
    what: 'in a proof whose predecessor the collector does not have',
    todo: 'Wait: the missing proof is sent again. If the journal was lost, what it held cannot be proven any more.',
  },
  equivocation: {
    what: 'in a proof that contradicts another one of this device',
    todo: 'Find the second router with this device key, or the old backup that was put back; until then its bond is at risk.',
  },
  'unknown-device': {
    what: 'refused: the collector does not know this device',
    todo: 'Enrol the router with the vendor, with the device address that "shareagent status" shows.',
  },
  revoked: {
    what: 'refused: nobody vouches for the device any more, or its key has been changed',
    todo: 'Look at "shareagent identity". An attestation that ended: ask the vendor for another. A key that was changed: use the newer one. Else ask the vendor why.',
  },
  'bad-signature': {
    what: 'refused: not signed by this device for this registry',
    todo: 'Compare chain.chain_id and chain.registry with those of the collector.',
  },
  'bad-voucher': {
    what: 'refused: the vouchers do not cover what was charged',
    todo: 'Compare chain.chain_id and chain.channels with those of the collector. If they agree, report it: it is a bug.',
  },
  'bytes-below-ack': {
    what: 'below what the guests acknowledged',
    todo: 'See "shareagent doctor" for rules that others have put around ours: the meter missed bytes.',
  },
  'over-link-capacity': {
    what: 'more than the link can carry in that time',
    todo: 'Have the collector told of the real speed of the uplink; look for a clock that was set back.',
  },
  'clock-unsynced': {
    what: 'in intervals without a known time',
    todo: 'Enable NTP (uci set system.ntp.enabled=1). The collector is told the right time later, if the router was not restarted.',
  },
  late: {
    what: 'proven too late for the week',
    todo: 'Nothing can be done for these. Keep the uplink to the collector up: proofs count for 37 days.',
  },
  'week-running': {
    what: 'accepted, in a week that is not over',
    todo: 'Wait: rewards are worked out when the week ends (Thursday 00:00 UTC).',
  },
  'reward-unclaimed': {
    what: 'accepted, with a reward that was not paid out yet',
    todo: 'Nothing: it is claimed once it is worth the gas. At once: fleet rewards --claim, from any account. Needs a bound operator.',
  },
  'nothing-claimed': {
    what: 'accepted, in a week in which nothing was claimed on chain',
    todo: 'Nothing: the reward comes with the week in which the channels are claimed.',
  },
  'reward-unknown': {
    what: 'accepted; rewards are not known here',
    todo: 'Set chain.rewards to the address of ShareRewards, or wait until the chain answers.',
  },
};
