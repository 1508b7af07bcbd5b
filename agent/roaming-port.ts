/** Routers of one owner among themselves: what a router may ask its sisters, and what its guests' desk may ask of roaming. */
import type { Address } from '../protocol/address.ts';
import type { SignedCarriedChannel, SignedRoamingQuery } from '../protocol/hand-over.ts';
import type { ServedChannel } from '../protocol/hand-over-wire.ts';
import type { Hex } from '../protocol/hex.ts';
import type { CompactSignature } from '../protocol/signature.ts';
import type { DeskRefusal } from './ports.ts';

/** What a sister says; a refusal and a sister out of reach are both "no", and change nothing. */
export type SisterAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      /** She has said nothing at all, so that nothing is known. */
      readonly isAway?: true;
    };

/** The other routers of the owner. Every request is signed, idempotent and bounded in time. */
export type Sisters = {
  readonly addresses: readonly Address[];
  /** The channel of a guest's key that the sister serves; where the query names a channel: that one, if it is with her. */
  lookUp(query: SignedRoamingQuery): Promise<SisterAnswer<ServedChannel>>;
  /** The channel itself: she serves it no longer when she answers. */
  ask(query: SignedRoamingQuery): Promise<SisterAnswer<SignedCarriedChannel>>;
  /** Brings one to the sister that it names; her signature says that she has it. */
  bring(carried: SignedCarriedChannel): Promise<SisterAnswer<CompactSignature>>;
};

export type Whereabouts = 'here' | 'elsewhere' | 'unknown';

/** What the guests' desk asks when a key is not known here. */
export type Roaming = {
  /** A channel of the key that a sister serves; undefined if none that answers does. */
  find(signer: Address): Promise<Hex | undefined>;
  /** Whose channel it is, if find() has just found it. */
  signerOf(id: Hex): Address | undefined;
  /** Which router holds a channel that an old copy of the journal has here; unknown until each sister has answered. */
  whereabouts(id: Hex): Promise<Whereabouts>;
  /** Fetches the channel; undefined once it is served here. */
  bring(id: Hex): Promise<DeskRefusal | undefined>;
};
