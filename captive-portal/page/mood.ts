/** What a view means to the guest, in one word: heading, explanation and colour follow from it. Pure. */
import type { PaymentMode } from '../../protocol/open-wire.ts';
import type { Strings } from './strings.ts';
import type { View } from './wire.ts';

export type Mood = keyof Strings['heading'];

export function moodOf(view: Pick<View, 'phase' | 'isOnline' | 'isLow' | 'isPaused'>): Mood {
  switch (view.phase) {
    case 'none':
      return 'offline';
    case 'trial':
      if (!view.isOnline) return 'trialUsed';
      return view.isLow ? 'trialLow' : 'trial';
    case 'active':
      if (view.isPaused === true) return 'paused';
      if (!view.isOnline) return 'grace';
      return view.isLow ? 'low' : 'online';
    default:
      return view.phase;
  }
}

/** Explanation under the heading. `mode` is known only to the page that opened the channel. */
export function explanationOf(view: View, mode: PaymentMode | undefined, strings: Strings): string {
  const mood = moodOf(view);
  const isAllInUse = view.depositUnits > 0n && view.creditUnits >= view.depositUnits;
  if (isAllInUse && (mood === 'low' || mood === 'grace')) return strings.explain.depositSpent;
  if (mode === 'stream' && (mood === 'online' || mood === 'low')) return strings.explain.onlineStream;
  if (mood === 'settled' && (view.refund?.units ?? 0n) === 0n) return strings.explain.settledNoRefund;
  return strings.explain[mood];
}

/** True in moods in which a guest may start paying anew. */
export function canOpen(mood: Mood): boolean {
  return ['offline', 'trial', 'trialLow', 'trialUsed', 'settled', 'failed'].includes(mood);
}

/** True in moods in which the running channel can take another voucher. */
export function canAdd(mood: Mood): boolean {
  return mood === 'online' || mood === 'low' || mood === 'grace';
}

/** True in moods in which there is something to finish. */
export function canFinish(mood: Mood): boolean {
  return canAdd(mood) || mood === 'paused' || mood === 'trial' || mood === 'trialLow';
}
