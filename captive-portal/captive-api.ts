/**
 * The Captive Portal API: what phones ask to know whether they are online and how much is left.
 * Only registered keys, only true values: they are what the kernel will let pass.
 *
 * @see RFC 8908 section 5 and the IANA registry "Captive Portal API Keys"
 */
import type { GuestView } from '../agent/ports.ts';
import { portalUrl } from './gate.ts';
import { isUnlimited } from './page/wording.ts';

export const CAPTIVE_MEDIA_TYPE = 'application/captive+json';

export type CaptiveState = {
  readonly captive: boolean;
  readonly 'user-portal-url': string;
  readonly 'venue-info-url'?: string;
  readonly 'can-extend-session': boolean;
  readonly 'bytes-remaining'?: number;
  readonly 'seconds-remaining'?: number;
};

/** State of a guest; `view` is undefined for a device that the kernel does not know: captive, with the way to the page. */
export function captiveState(host: string, view: GuestView | undefined): CaptiveState {
  const url = portalUrl(host);
  if (view === undefined || !view.isOnline) {
    return { captive: true, 'user-portal-url': url, 'can-extend-session': true };
  }
  return {
    captive: false,
    'user-portal-url': url,
    'venue-info-url': url,
    'can-extend-session': true,
    ...(!isUnlimited(view.bytesRemaining) && { 'bytes-remaining': safeNumber(view.bytesRemaining) }),
    ...(view.secondsRemaining !== undefined && { 'seconds-remaining': Math.max(0, Math.floor(view.secondsRemaining)) }),
  };
}

/** True if the Accept header names the API's media type itself; a browser's wildcard wants the page. */
export function acceptsCaptiveJson(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some((range) => range.split(';')[0]?.trim().toLowerCase() === CAPTIVE_MEDIA_TYPE);
}

/** JSON integers above 2^53 are not safe to read for every client. */
function safeNumber(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
