/**
 * The agent's object on the router's bus, as the rest of the agent knows it: methods with typed arguments, answers, and
 * notifications. The adapter (agent/adapters/ubus/bus-object.ts) puts it on ubus; docs/ubus.md says what is on it.
 */

/** A number is an INT32 and must be one, a bigint an INT64. Fields that are undefined are left out. */
export type BusValue = string | number | bigint | boolean | readonly BusValue[] | BusTable;
export type BusTable = { readonly [name: string]: BusValue | undefined };

/** integer: of any width, because JSON callers send a small one as INT32 and a large one as INT64. */
export type BusArgument = 'int32' | 'string' | 'integer';

export type BusRefusal = 'invalid-argument' | 'not-found' | 'permission-denied' | 'timed-out' | 'not-supported';

/** ubus carries no text with a refusal: the message is for the log. */
export type BusAnswer =
  | { readonly ok: true; readonly reply: BusTable }
  | { readonly ok: false; readonly reason: BusRefusal; readonly message: string };

/** As received: an argument of another type than declared is absent. */
export type BusArguments = Readonly<Record<string, unknown>>;

export type BusMethod = {
  readonly args: Readonly<Record<string, BusArgument>>;
  readonly answer: (args: BusArguments) => BusAnswer | Promise<BusAnswer>;
};
export type BusMethods = Readonly<Record<string, BusMethod>>;

/** One object on the bus. */
export type BusObject = {
  /** On the bus from now on, through restarts of the bus; tried again while the bus refuses. */
  publish(methods: BusMethods): Promise<void>;
  /** False while nobody subscribes: then there is no need to make a notification. */
  isHeard(): boolean;
  notify(type: string, data: BusTable): void;
  close(): Promise<void>;
};

/** Absent parts stay as they are. */
export type PriceChange = { readonly unitsPerMb?: bigint; readonly unitsPerMinute?: bigint };

/** refused: the configuration would be wrong. forbidden: the file cannot be written. */
export type PriceResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: 'refused' | 'forbidden'; readonly message: string };

const MAX_INT32 = 2_147_483_647;

/** A count or duration as INT32: whole, and cut at its range. */
export function int32(value: number): number {
  return Math.max(-MAX_INT32, Math.min(MAX_INT32, Math.trunc(value)));
}
