/** Who listens, by the kernel's list. @see proc(5), /proc/net/tcp: addresses are words in the machine's own byte order */
import { endianness } from 'node:os';

export type Listener = { readonly addressHex: string; readonly port: number };

/** Sockets in state LISTEN (0A) of /proc/net/tcp or tcp6. */
export function listeners(table: string): readonly Listener[] {
  return table.split('\n').flatMap((line) => {
    const [, addressHex, port] = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F:]+ 0A /.exec(line) ?? [];
    return addressHex === undefined || port === undefined ? [] : [{ addressHex, port: Number.parseInt(port, 16) }];
  });
}

/** An address at which `port` can be reached from the router itself, by /proc/net/tcp; undefined if nobody listens. */
export function listeningAddress(table: string, port: number): string | undefined {
  const found = listeners(table).find((listener) => listener.port === port);
  if (found === undefined) return undefined;
  const bytes = Buffer.from(found.addressHex, 'hex');
  const address = (endianness() === 'LE' ? bytes.toReversed() : bytes).join('.');
  return address === '0.0.0.0' ? '127.0.0.1' : address;
}
