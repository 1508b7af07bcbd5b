/**
 * Readings of a counter set: what was there before an element was made, from its comment, plus what it has counted. Names are
 * checked and parsed once for each element and remembered as long as it is there: thousands are read each second.
 */
import type { SetElement } from '../../../openwrt/node-netlink/src/set-elements.ts';
import type { CounterReading } from '../../core/model.ts';
import { baseFromComment, type COUNTER_SETS, type CounterBase } from './layout.ts';
import { isArray, isObject, type Json, type JsonObject } from './nft-json.ts';
import { counterKeyFromElement, elementKey } from './render-grant.ts';
import { partsFromKey } from './set-key.ts';
import type { SetMeaning } from './set-reader.ts';

export type CounterSet = (typeof COUNTER_SETS)[number];
type Known = { readonly comment: string | undefined; readonly base: CounterBase; readonly key: CounterReading['key'] };

/** Readings of one set, by netlink and as nft lists it. */
export function counterMeaning(set: CounterSet): SetMeaning<CounterReading> {
  const kernel = new CounterReader(set, singlePart);
  const nft = new CounterReader(set, (text) => [text]);
  return {
    fromKernel: (elements) => kernel.readings(elements),
    fromNft: (listed) => nft.readings(listedElements(listed)),
    isBetween: areBetween,
  };
}

export class CounterReader {
  readonly #set: CounterSet;
  readonly #partsOf: (key: string) => readonly string[];
  #known = new Map<string, Known>();

  /** @param partsOf an element's key to the names in it */
  constructor(set: CounterSet, partsOf: (key: string) => readonly string[]) {
    this.#set = set;
    this.#partsOf = partsOf;
  }

  readings(elements: readonly SetElement[]): CounterReading[] {
    const seen = new Map<string, Known>();
    const readings: CounterReading[] = [];
    for (const { key: name, comment, bytes, packets } of elements) {
      const remembered = this.#known.get(name);
      const known = remembered?.comment === comment ? remembered : this.#parsed(name, comment);
      if (known === undefined) continue;
      seen.set(name, known);
      const { base, key } = known;
      readings.push({
        sessionId: base.sessionId,
        key,
        bytes: base.bytes + bytes,
        packets: base.packets + packets,
      });
    }
    this.#known = seen;
    return readings;
  }

  /** What does not parse was not made by us; it is removed with the next full look at the table. */
  #parsed(name: string, comment: string | undefined): Known | undefined {
    const elementName = elementKey(this.#set, this.#partsOf(name));
    const base = comment === undefined ? undefined : baseFromComment(comment);
    if (elementName === undefined || base === undefined) return undefined;
    const key = counterKeyFromElement(this.#set, elementName);
    return key === undefined ? undefined : { comment, base, key };
  }
}

/** Elements of nft's listing. The key is the text that nft prints, empty if it is no text. */
export function listedElements(listed: readonly JsonObject[]): SetElement[] {
  const items = listed.flatMap(({ set }) => (isObject(set) && isArray(set['elem']) ? set['elem'] : []));
  return items.flatMap((item) => {
    const details = isObject(item) ? item['elem'] : undefined;
    if (!isObject(details)) return [];
    const { val, comment, counter } = details as { readonly [key: string]: Json };
    const counted = isObject(counter) ? counter : {};
    return {
      key: typeof val === 'string' ? val : '',
      comment: typeof comment === 'string' ? comment : undefined,
      bytes: amount(counted['bytes']),
      packets: amount(counted['packets']),
    };
  });
}

/** The same counters in all three, and none of them going back. */
export function areBetween(
  before: readonly CounterReading[],
  listed: readonly CounterReading[],
  after: readonly CounterReading[],
): boolean {
  const [first, last] = [before, after].map((readings) => new Map(readings.map((one) => [one.key, one])));
  if (first?.size !== listed.length || last?.size !== listed.length) return false;
  return listed.every((one) => isReached(first.get(one.key), one) && isReached(one, last.get(one.key)));
}

/** Nothing of a key that is joined of several: our counters have none. */
function singlePart(key: string): readonly string[] {
  const parts = partsFromKey(key);
  return parts.length === 1 ? parts : [];
}

function isReached(earlier: CounterReading | undefined, later: CounterReading | undefined): boolean {
  if (earlier === undefined || later === undefined) return false;
  return earlier.sessionId === later.sessionId && earlier.bytes <= later.bytes && earlier.packets <= later.packets;
}

function amount(value: Json | undefined): bigint {
  return typeof value === 'number' && value > 0 ? BigInt(value) : 0n;
}
