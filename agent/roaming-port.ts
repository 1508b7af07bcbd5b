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
  | { readonly ok: false; readonly message: string };

/** The other routers of the owner. Every request is signed, idempotent and bounded in time. */
export type Sisters = {
  readonly addresses: readonly Address[];
  /** The channel of a guest's key that the sister serves. */
  lookUp(query: SignedRoamingQuery): Promise<SisterAnswer<ServedChannel>>;
  /** The channel itself: she serves it no longer when she answers. */
  ask(query: SignedRoamingQuery): Promise<SisterAnswer<SignedCarriedChannel>>;
  /** Brings one to the sister that it names; her signature says that she has it. */
  bring(carried: SignedCarriedChannel): Promise<SisterAnswer<CompactSignature>>;
};

/** What the guests' desk asks when a key is not known here. */
export type Roaming = {
  /** A channel of the key that a sister serves; undefined if none that answers does. */
  find(signer: Address): Promise<Hex | undefined>;
  /** Whose channel it is, if find() has just found it. */
  signerOf(id: Hex): Address | undefined;
  /** Fetches the channel; undefined once it is served here. */
  bring(id: Hex): Promise<DeskRefusal | undefined>;
};
