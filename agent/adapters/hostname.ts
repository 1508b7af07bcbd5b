/** The name a guest's device gives itself by DHCP: shown to people, never trusted, never part of a rule or command. */

/** A DNS label (RFC 1035 2.3.4). */
const MAX_LENGTH = 63;

/** Letters, digits and hyphens of a DHCP host name; undefined if nothing usable is left or there is none ("*"). */
export function parseHostname(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '*') return undefined;
  const cleaned = text.slice(0, MAX_LENGTH).replace(/[^A-Za-z0-9-]/g, '');
  return cleaned === '' ? undefined : cleaned;
}
