/**
 * Configs of channels as they came, by the id that is their hash: the same one comes with every proof of a channel, and is then
 * neither read nor hashed again. In bounded memory.
 */
import type { ChannelConfig } from '../protocol/channel.ts';
import { BoundedCache } from './bounded-cache.ts';

/** `bytes`: its items, behind the head of the array. */
export type KnownConfig = { readonly bytes: Buffer; readonly config: ChannelConfig };

/** Some 70 MiB. */
const CONFIGS_KEPT = 65_536;

export class KnownConfigs extends BoundedCache<KnownConfig> {
  constructor(room = CONFIGS_KEPT) {
    super(room);
  }
}

/** Whether these are the next bytes. */
export function isNext({ bytes: known }: KnownConfig, bytes: Buffer, at: number): boolean {
  const end = at + known.length;
  return end <= bytes.length && known.compare(bytes, at, end) === 0;
}
