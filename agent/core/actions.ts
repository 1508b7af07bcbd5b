/** What the core wants done. Only driver.ts does it; an action that wants an answer names the event that carries it. */
import type { Hex } from '../../protocol/hex.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import type { DueClaim } from './chain-facts.ts';
import type { Mac, SessionId } from './model.ts';

export type AgentAction =
  /** Make the kernel equal enforcementPlan(state). Answer: reconciled. */
  | { readonly kind: 'reconcile' }
  /** Write these sessions' usage to the journal. Answer: usage-stored. */
  | { readonly kind: 'store-sessions'; readonly sessionIds: readonly SessionId[] }
  /** Write this channel to the journal. */
  | { readonly kind: 'store-channel'; readonly channelId: Hex }
  /** Send the cooperative close. Answer: channel-closed or close-failed. */
  | { readonly kind: 'close-channel'; readonly channelId: Hex; readonly units: TokenAmount }
  /** Claim these in one transaction, those by ticks in one each. Answer: channels-claimed or claim-failed. */
  | { readonly kind: 'claim-channels'; readonly claims: readonly DueClaim[] }
  /** The session is over and settled: drop it and its channel from the journal. */
  | { readonly kind: 'forget-session'; readonly sessionId: SessionId }
  /** Tell whoever watches this MAC that its view changed. */
  | { readonly kind: 'notify'; readonly mac: Mac }
  /** One line in the log for a decision against a guest: reason, value, threshold. */
  | {
      readonly kind: 'log';
      readonly event: string;
      readonly details: { readonly [name: string]: string | number | bigint };
    };
