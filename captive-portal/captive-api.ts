/**
 * The Captive Portal API: what phones ask to know whether they are online and how much is left.
 * Registered keys and one of Android's, only true values: they are what the kernel will let pass.
 *
 * @see RFC 8908 section 5 and the IANA registry "Captive Portal API Keys"
 */
import type { GuestView } from '../agent/ports.ts';
import { portalUrl } from './gate.ts';
import { isUnlimited } from './page/wording.ts';

export const CAPTIVE_MEDIA_TYPE = 'application/captive+json';

/** `venueUrl`: the owner's own page, if there is one. */
type PortalAddress = { readonly host: string; readonly port: number; readonly venueUrl?: string };

export type CaptiveState = {
  readonly captive: boolean;
  readonly 'user-portal-url': string;
  readonly 'venue-info-url': string;
  readonly 'can-extend-session': boolean;
  readonly 'x-android-use-custom-tabs'?: number;
  readonly 'bytes-remaining'?: number;
  readonly 'seconds-remaining'?: number;
};

/** Where guests are sent: `portal` is the page, `venue` what the phone shows beside the network's name. */
export type CaptiveUrls = { readonly portal: string; readonly venue: string };

/**
 * Android opens the page in the guest's own browser instead of the sheet: storage lasts, and the page may stay in the background.
 * It looks for exactly this number, and only where the API is https.
 *
 * @see source.android.com/docs/core/connect/android-custom-tabs-captive-portal
 */
const ANDROID_CUSTOM_TABS = 361_335_020;

/** https where there is a certificate: RFC 8908 asks for it, and iPhones and Android believe no other address. */
export function captiveUrls({ host, port, venueUrl }: PortalAddress, isSecure: boolean): CaptiveUrls {
  const portal = isSecure ? `https://${host}:${port}/` : portalUrl(host);
  return { portal, venue: venueUrl ?? portal };
}

/** State of a guest; `view` is undefined for a device that the kernel does not know: captive, with the way to the page. */
export function captiveState({ portal, venue }: CaptiveUrls, view: GuestView | undefined): CaptiveState {
  const always = {
    'user-portal-url': portal,
    'venue-info-url': venue,
    'can-extend-session': true,
    ...(portal.startsWith('https:') && { 'x-android-use-custom-tabs': ANDROID_CUSTOM_TABS }),
  };
  if (view === undefined || !view.isOnline) return { captive: true, ...always };
  return {
    captive: false,
    ...always,
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
