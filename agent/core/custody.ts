/** What a router remembers of a channel that changed routers; roaming.ts decides by it. */
import type { Address } from '../../protocol/address.ts';
import type { CarriedChannel } from '../../protocol/hand-over.ts';

/** The newest hand-over that a router has given or taken of a channel: it stays known until the channel has expired. */
export type Custody = {
  readonly self: Address;
  readonly last: CarriedChannel;
  /** Given: the other router has confirmed it. Taken: always. */
  readonly isDelivered: boolean;
};
