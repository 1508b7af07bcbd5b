/**
 * The edges of the agent, as core, driver and portal know them. Implemented in agent/adapters (for real) and in
 * test/support (fakes that throw on an unscripted call). An adapter takes no decision.
 */
import type { Address } from '../protocol/address.ts';
import type { SignedAttach } from '../protocol/attach.ts';
import type { ChannelConfig } from '../protocol/channel.ts';
import type { TypedMessage } from '../protocol/eip712.ts';
import type { Hex } from '../protocol/hex.ts';
import type { AnyOpenRequest } from '../protocol/open-wire.ts';
import type { Tick } from '../protocol/payword.ts';
import type { SignedQuote } from '../protocol/quote.ts';
import type { SignedServiceOffer } from '../protocol/service-offer.ts';
import type { CompactSignature } from '../protocol/signature.ts';
import type { SignedTickVoucher } from '../protocol/tick-voucher.ts';
import type { TokenAmount } from '../protocol/units.ts';
import type { SignedUsageReceipt } from '../protocol/usage-receipt.ts';
import type { SignedVoucher } from '../protocol/voucher.ts';
import type {
  ChainChannel,
  ChainClaim,
  ChainClose,
  ChainCosts,
  ChainResult,
  ChainTickClaim,
  ChainTx,
  OpenDeposit,
} from './core/chain-facts.ts';
import type { DeskRefusal } from './core/desk-refusal.ts';
import type { JournalEntry, JournalSnapshot, ProofRecord } from './core/journal-entry.ts';
import type {
  CounterReading,
  DeviceName,
  EnforcementPlan,
  IpAddress,
  Lease,
  Mac,
  SessionId,
  UnboundAddress,
} from './core/model.ts';
import type { DraftItem, OutboxItem, WaitingProofs } from './core/proof-facts.ts';
import type { SentTransaction } from './core/sent-transaction.ts';
import type { StoredPass } from './core/treasury-facts.ts';
import type { GuestView } from './core/view.ts';

export type { AgentStatus, HealthCheck } from './core/agent-status.ts';
export type {
  ChainChannel,
  ChainClaim,
  ChainClose,
  ChainCosts,
  ChainFailure,
  ChainResult,
  ChainTickClaim,
  ChainTx,
  OpenDeposit,
  Permit2Deposit,
  PermitDeposit,
} from './core/chain-facts.ts';
export type { Custody } from './core/custody.ts';
export type { DeskRefusal } from './core/desk-refusal.ts';
export type { JournalEntry, JournalSnapshot, ProofRecord, SettledTotals, StoredOpen } from './core/journal-entry.ts';
export type {
  CollectorAnswer,
  DraftItem,
  MissingProofs,
  OutboxItem,
  ProofUploader,
  WaitingProofs,
} from './core/proof-facts.ts';
export type { SentTransaction, TransactionState } from './core/sent-transaction.ts';
export type { TickCredit } from './core/tick-account.ts';
export type {
  FaucetResult,
  PassesResult,
  PassRow,
  StoredPass,
  WalletMove,
  WalletView,
  WithdrawResult,
} from './core/treasury-facts.ts';
export type { GuestView, SessionRow } from './core/view.ts';

/** Monotonic time for metering and deadlines; wall time only for what is signed. */
export interface Clock {
  monotonicMs(): number;
  /** `isBorrowed`: it is the chain's time, because the router's own is not set. */
  wall(): { readonly unixS: bigint; readonly isSynced: boolean; readonly isBorrowed?: boolean };
}

export type EnforcerEvent =
  /** The session's quota was used up in the kernel. */
  | { readonly kind: 'depleted'; readonly sessionId: SessionId }
  /** Our table or the rules around it were changed by someone else; reconcile. */
  | { readonly kind: 'disturbed'; readonly what: string }
  /** Somebody changed other tables; flow offload may have been switched on. */
  | { readonly kind: 'changed-elsewhere' };

/** The kernel's packet filter (nftables). */
export interface Enforcer {
  /**
   * Makes the kernel equal the plan: adopts what an earlier run left, repairs what is missing, one atomic transaction
   * for each step. Returns the last readings of counters that it removed; those that the plan still names
   * and the kernel has no more are marked as last, and the next plan must not name them.
   * @throws NftError with stderr if the kernel refuses; the kernel is then unchanged.
   */
  reconcile(plan: EnforcementPlan): Promise<readonly CounterReading[]>;
  /** All counters, and addresses seen without a binding since the last call. */
  read(): Promise<{ readonly counters: readonly CounterReading[]; readonly unbound: readonly UnboundAddress[] }>;
  /** Reads back the rules; false if they are not what reconcile installed. */
  verify(): Promise<boolean>;
  onEvent(listener: (event: EnforcerEvent) => void): void;
  /** Stops watching. What is in the kernel stays: paid guests keep what they paid for. */
  close(): Promise<void>;
}

export type StationEvent =
  | { readonly kind: 'joined'; readonly mac: Mac; readonly port: DeviceName }
  | { readonly kind: 'left'; readonly mac: Mac; readonly port: DeviceName }
  | { readonly kind: 'leased'; readonly lease: Lease }
  | { readonly kind: 'released'; readonly mac: Mac; readonly address: IpAddress }
  /** What hostapd counted for each guest station of its BSSs, by one look at all of them. */
  | { readonly kind: 'air'; readonly readings: readonly AirReading[] }
  /** netifd: a guest interface came up, changed or went down. */
  | { readonly kind: 'network-changed' }
  /** The bus was away or dropped messages: read everything anew. */
  | { readonly kind: 'resync' };

/**
 * hostapd's counters of one station, layer 2, from 0 at each association: up = from the station. Absent where the driver
 * does not tell. Rates in kbit/s, whatever the release made of them.
 */
export type AirReading = {
  readonly mac: Mac;
  readonly port: DeviceName;
  readonly upBytes: bigint;
  readonly downBytes: bigint;
  readonly packets: number;
  readonly signalDbm?: number;
  readonly rateDownKbit?: number;
  readonly rateUpKbit?: number;
};

/** Who is on the air and which addresses they hold: hostapd, dnsmasq, netifd over ubus. */
export interface StationSource {
  start(listener: (event: StationEvent) => void): Promise<void>;
  /** Associated and authorised stations with their BSS. */
  stations(): Promise<readonly { readonly mac: Mac; readonly port: DeviceName }[]>;
  isConnected(): boolean;
  /** Deauthenticates a station of the guest network, without a ban; only ever because the owner asked. */
  kick(mac: Mac): Promise<'kicked' | 'not-found' | 'no-answer'>;
  close(): Promise<void>;
}

/** The kernel's neighbour table and bridge: the only authority on which MAC sent a packet. */
export interface Neighbours {
  macOf(address: IpAddress): Promise<Mac | undefined>;
  /** All (MAC, address) pairs on the guest devices. */
  list(): Promise<readonly { readonly mac: Mac; readonly address: IpAddress }[]>;
  /** Bridge port behind which the MAC was last seen. */
  portOf(mac: Mac): Promise<DeviceName | undefined>;
}

export interface Journal {
  load(): JournalSnapshot;
  /** Group commit: entries of concurrent calls share one transaction and one fsync. Rejects if nothing was stored. */
  commit(entries: readonly JournalEntry[]): Promise<void>;
  /** Oldest first. */
  outbox(limit: number): readonly OutboxItem[];
  proofs(limit: number): readonly ProofRecord[];
  /** A proof as it was sent; undefined if it is kept no longer. */
  proofBody(seq: bigint): Uint8Array | undefined;
  /** Oldest first. */
  drafts(limit: number): readonly DraftItem[];
  waiting(): WaitingProofs;
  close(): void;
}

/** Where the gas key's transactions are kept before they are sent: in the journal, for the agent. */
export interface TransactionLog {
  /** All that are not final, in the order in which they were first stored. */
  live(): readonly SentTransaction[];
  /** Resolves once it is durable. A final one is dropped; what it cost stays in the totals. */
  store(transaction: SentTransaction): Promise<void>;
}

/**
 * The settlement chain, through the router's own gas key. What a result says is so many blocks deep as configured, and
 * two endpoints say the same, where there are two.
 */
export interface Chain {
  /** Simulates, sends, waits for the receipt. Idempotent: an already open channel is a success. */
  relayOpen(config: ChannelConfig, deposit: OpenDeposit): Promise<ChainResult<ChainTx>>;
  channel(id: Hex): Promise<ChainResult<{ readonly channel: ChainChannel }>>;
  /** Claims what vouchers allow, all in one transaction. Idempotent: what is claimed already costs only gas. */
  claim(claims: readonly ChainClaim[]): Promise<ChainResult<ChainTx>>;
  /** Claims what ticks allow of one channel. Idempotent: sends nothing if so much is claimed already. */
  claimTicks(claim: ChainTickClaim): Promise<ChainResult<ChainTx>>;
  /** Cooperative close: claims `amount` under the voucher, gives the payer the rest. Idempotent: who closed it, and for how much, the answer says. */
  close(config: ChannelConfig, voucher: SignedVoucher, amount: TokenAmount): Promise<ChainResult<ChainClose>>;
  /** Units of SSP an address holds. */
  balanceOf(owner: Address): Promise<ChainResult<{ readonly units: TokenAmount }>>;
  /** Units that ShareChannels owes a payee, fee included. */
  earned(payee: Address): Promise<ChainResult<{ readonly units: TokenAmount; readonly feeUnits: TokenAmount }>>;
  /** Sends the gas key's own SSP. What has the same `name` is sent once. */
  transfer(to: Address, units: TokenAmount, name: string): Promise<ChainResult<ChainTx>>;
  /** Pays the payee what it has earned, less the contract's fee. What has the same `name` is sent once. */
  withdraw(payee: Address, name: string): Promise<ChainResult<ChainTx>>;
  costs(): Promise<ChainResult<ChainCosts>>;
  /** The chain's own time, for a router whose clock is not set. */
  time(): Promise<ChainResult<{ readonly unixS: bigint }>>;
  /** Looks after all transactions that may still be lost, stuck or rolled back; idle once there are none. */
  tend(): Promise<ChainResult<{ readonly isIdle: boolean }>>;
}

/** Signs with the device key; a hardware key store can implement it. */
export interface Signer {
  readonly address: Address;
  sign(digest: Uint8Array): Hex;
}

/** An EIP-2098 signature, and the 32-byte digest it is claimed to be under, or the message, which is hashed where it is checked. */
export type SignatureClaim = { readonly signature: CompactSignature } & (
  | { readonly digest: Uint8Array }
  | { readonly message: TypedMessage }
);

/** Which implementation of secp256k1 verifies, and how many signatures a second its self-test found. */
export type VerifierChoice = { readonly backend: 'noble' | 'wasm' | 'native'; readonly ratePerS: number };

/** Tells who signed, off the event loop. All backends accept and refuse the same signatures. */
export interface Verifier {
  /**
   * The signer of each claim, in order; undefined where nobody can have signed.
   * @throws VerifierError: busy, or the thread failed. Says nothing about the signatures; try again.
   */
  recover(claims: readonly SignatureClaim[]): Promise<readonly (Address | undefined)[]>;
  /** What the last self-test chose; undefined before the first signature. */
  readonly choice: VerifierChoice | undefined;
  close(): Promise<void>;
}

/** What the device's wallet is to sign, to take up the session of `channelId`. */
export type ChallengeResult = { readonly ok: true; readonly channelId: Hex; readonly challenge: Hex } | DeskRefusal;
/** Credit after a tick: cumulative units promised. On disk within TIME_REFRESH_MS, or with the voucher that covers it. */
export type TickResult = { readonly ok: true; readonly promisedUnits: TokenAmount } | DeskRefusal;
export type DeskResult = { readonly ok: true; readonly view: GuestView } | DeskRefusal;

/** A deposit that a payer's own wallet is to make: `units` at least, under this config. */
export type DepositRequest = {
  readonly channelId: Hex;
  readonly config: ChannelConfig;
  readonly units: TokenAmount;
};

/** What the captive portal may ask of the agent. The guest is whoever the kernel says sent the request. */
export interface GuestDesk {
  /** MAC behind a source address, from the neighbour table; undefined if it is not a guest's. */
  identify(address: string): Promise<Mac | undefined>;
  view(mac: Mac): GuestView;
  /** A fresh signed quote, or why nothing is sold now (with what to do). */
  quote(): SignedQuote | { readonly notSelling: string };
  /** The signed description of what is sold, for anyone; undefined while the clock is not set. */
  offer?(): SignedServiceOffer | undefined;
  /** `key`: the guest's own, where its page names one; unproven, it can only make the allowance smaller. */
  startTrial(mac: Mac, key?: Address): Promise<DeskResult>;
  open(mac: Mac, request: AnyOpenRequest): Promise<DeskResult>;
  balance?(owner: Address): Promise<{ readonly ok: true; readonly units: TokenAmount } | DeskRefusal>;
  /** What the guest's own wallet still has to deposit; undefined unless a channel waits for it. */
  deposit(mac: Mac): DepositRequest | undefined;
  voucher(mac: Mac, voucher: SignedVoucher): Promise<DeskResult>;
  /** Begins a PayWord chain: its ticks may then raise the credit, TICKS_PER_RENEWAL of them beyond the last voucher. */
  tickVoucher(mac: Mac, tickVoucher: SignedTickVoucher): Promise<DeskResult>;
  /** Takes one coin of the chain, at once; the kernel follows within a tenth of a second. */
  tick(mac: Mac, channelId: Hex, tick: Tick): TickResult;
  /** For this device and no other, good once; refused if the signer has no running session, here or at a sister. */
  challenge(mac: Mac, signer: Address): ChallengeResult | Promise<ChallengeResult>;
  /** The device joins the channel's running session with what is left of it; a MAC alone never carries credit. */
  attach(mac: Mac, request: SignedAttach): Promise<DeskResult>;
  /** What the guest's channel has carried and cost so far, signed by the device; undefined without a channel. */
  receipt(mac: Mac): SignedUsageReceipt | undefined;
  /** Ends the session; the channel is closed on chain and the rest refunded. */
  leave(mac: Mac): Promise<DeskResult>;
  /** No packet passes and no time is charged until resume, at most MAX_PAUSE_MS; on disk when it is answered. */
  pause(mac: Mac): Promise<DeskResult>;
  resume(mac: Mac): Promise<DeskResult>;
  /** Calls `listener` with each change of the guest's view until the returned function is called. */
  watch(mac: Mac, listener: (view: GuestView) => void): () => void;
}

export interface PassBook {
  all(): readonly StoredPass[];
  /** The highest that was ever stored, also where the passes themselves are an old copy; 0: none. */
  lastSerial(): number;
  /** On disk when it returns. @throws if it cannot be written */
  store(passes: readonly StoredPass[]): void;
}
