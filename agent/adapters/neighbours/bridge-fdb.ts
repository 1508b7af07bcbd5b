/**
 * A bridge's forwarding table: behind which port a MAC was last seen. Binary as in /sys/class/net/BRIDGE/brforward
 * (struct __fdb_entry of linux/if_bridge.h), which costs no process, or as `bridge fdb show` prints it.
 */
import { endianness } from 'node:os';
import type { Mac } from '../../core/model.ts';

/** mac[6], port_no u8, is_local u8, ageing_timer_value u32, port_hi u8, pad u8, unused u16. */
const ENTRY_LENGTH = 16;

/** The port where this MAC was seen most recently; undefined if it was not seen, or is the router's own. */
export function portNumberFromBrforward(bytes: Buffer, mac: Mac): number | undefined {
  const wanted = Buffer.from(mac.replaceAll(':', ''), 'hex');
  let best: { readonly port: number; readonly age: number } | undefined;
  for (let at = 0; at + ENTRY_LENGTH <= bytes.length; at += ENTRY_LENGTH) {
    if (bytes.compare(wanted, 0, 6, at, at + 6) !== 0) continue;
    const isLocal = bytes[at + 7] === 1;
    const age = endianness() === 'LE' ? bytes.readUInt32LE(at + 8) : bytes.readUInt32BE(at + 8);
    // One entry for each VLAN; the one used last counts.
    if (isLocal || (best !== undefined && best.age <= age)) continue;
    best = { port: bytes.readUInt8(at + 6) | (bytes.readUInt8(at + 12) << 8), age };
  }
  return best?.port;
}

/** Name of the port, from lines "MAC dev PORT [vlan N] master BRIDGE [permanent]"; not checked yet. */
export function portNameFromFdbText(text: string, mac: Mac): string | undefined {
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    if (words[0]?.toLowerCase() !== mac || words.includes('permanent') || words.includes('self')) continue;
    const at = words.indexOf('dev');
    if (at > 0) return words[at + 1];
  }
  return undefined;
}
