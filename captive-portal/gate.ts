/**
 * Which requests are for the portal at all. The kernel sends port 80 of every guest without credit here, so most requests
 * name some other host: those are answered 302, whatever their path and method, which every phone takes for a portal.
 * Never 511, 403 or 5xx for them: Android reads those as "no internet" and shows no sign-in sheet.
 *
 * @see AOSP NetworkMonitor (200..399 but 204 is a portal), RFC 8952
 */
import type { IncomingMessage } from 'node:http';
import { MAX_URL_LENGTH } from './limits.ts';
import { ENGLISH } from './page/strings.ts';
import type { PortalReason } from './problem.ts';

export type Admission =
  | { readonly kind: 'admitted' }
  | { readonly kind: 'elsewhere' }
  | { readonly kind: 'refused'; readonly reason: PortalReason };

/** `host`: canonical name of the portal. The port is left out of the comparison: the kernel redirects it. */
export function admit(request: IncomingMessage, host: string): Admission {
  const hosts = headerValues(request, 'host');
  if (hosts.length > 1) return { kind: 'refused', reason: 'two-hosts' };
  const named = (authorityOf(request.url) ?? hosts[0])
    ?.toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '');
  if (named !== host.toLowerCase()) return { kind: 'elsewhere' };
  if ((request.url ?? '').length > MAX_URL_LENGTH) return { kind: 'refused', reason: 'url-too-long' };
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  if (!isSafe && !isOwnOrigin(headerValues(request, 'origin'), host))
    return { kind: 'refused', reason: 'foreign-origin' };
  return { kind: 'admitted' };
}

/** Of a target in absolute form, which counts instead of Host (RFC 9112 section 3.2.2); undefined for a path. */
function authorityOf(target = ''): string | undefined {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1];
}

export function portalUrl(host: string): string {
  return `http://${host}/`;
}

/** At most 1 kB: enough for people whose browser does not follow, small enough to send before every guest has paid. */
export function redirectBody(host: string): string {
  const url = portalUrl(host);
  return `<!doctype html><title>${ENGLISH.title}</title><meta http-equiv="refresh" content="0;url=${url}"><a href="${url}">${ENGLISH.redirect.body}</a>\n`;
}

/** Old browsers send no Origin with their own forms; another site's script or form always does. */
function isOwnOrigin(origins: readonly string[], host: string): boolean {
  if (origins.length === 0) return true;
  const match = /^https?:\/\/([^/:]+)(?::\d{1,5})?$/.exec(origins[0] as string);
  return origins.length === 1 && match?.[1]?.toLowerCase() === host.toLowerCase();
}

/** Node merges repeated headers or keeps the first; only the raw list shows that there were two. */
function headerValues({ rawHeaders }: IncomingMessage, name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}
