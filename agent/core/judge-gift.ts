/** What the owner gives for nothing is bounded for the day: whoever may call session_extend cannot give the line away. */
import type { ByteCount } from '../../protocol/units.ts';
import type { AgentConfig } from './config.ts';
import { DAY_S } from './judge-trial.ts';
import type { AgentState } from './state.ts';

/** `bytes` may be given now; and what could be. */
export type GiftJudgement = { readonly isAllowed: boolean; readonly leftBytes: ByteCount; readonly dayS: bigint };

/** @param nowS wall clock; one that steps back over midnight goes on with the later day's sum */
export function judgeGift(
  { gifts }: AgentState,
  { giftBytesPerDay, trialBytesPerDay }: AgentConfig['price'],
  bytes: ByteCount,
  nowS: bigint,
): GiftJudgement {
  const today = nowS - (nowS % DAY_S);
  const dayS = gifts.dayS === today + DAY_S ? gifts.dayS : today;
  const given = gifts.dayS === dayS ? gifts.bytes : 0n;
  const most = giftBytesPerDay ?? trialBytesPerDay;
  const leftBytes = most > given ? most - given : 0n;
  return { isAllowed: bytes <= leftBytes, leftBytes, dayS };
}
