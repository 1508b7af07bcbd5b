/** Keys of set elements as the kernel holds them, to the texts that nft would print. */

/** Hex digits of each form: a MAC, IPv4, IPv6, and a MAC (padded to 8 bytes) with an address. */
const MAC = 12;
const IPV4 = 8;
const IPV6 = 32;
const MAC_IPV4 = 24;
const MAC_IPV6 = 48;
const PADDED_MAC = 16;

/** One text for each part of the key; none if it is of another form. `key` is in hex digits. */
export function partsFromKey(key: string): readonly string[] {
  switch (key.length) {
    case MAC:
      return [key];
    case IPV4:
      return [ipv4FromHex(key)];
    case IPV6:
      return [ipv6FromHex(key)];
    case MAC_IPV4:
      return [key.slice(0, MAC), ipv4FromHex(key.slice(PADDED_MAC))];
    case MAC_IPV6:
      return [key.slice(0, MAC), ipv6FromHex(key.slice(PADDED_MAC))];
    default:
      return [];
  }
}

function ipv4FromHex(hex: string): string {
  return chunks(hex, 2)
    .map((octet) => Number.parseInt(octet, 16))
    .join('.');
}

function ipv6FromHex(hex: string): string {
  return chunks(hex, 4).join(':');
}

function chunks(text: string, length: number): string[] {
  return Array.from({ length: text.length / length }, (_, i) => text.slice(i * length, (i + 1) * length));
}
