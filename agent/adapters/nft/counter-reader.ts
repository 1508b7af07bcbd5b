/**
 * Readings of the counter sets: what was there before an element was made, from its comment, plus what it has counted.
 * Names are checked and parsed once for each element and remembered as long as it is listed: thousands are read each second.
 */
import type { CounterReading } from '../../core/model.ts';
import type { COUNTER_SETS, CounterBase } from './layout.ts';
import { isArray, isObject, type Json, type JsonObject } from './nft-json.ts';
import { baseFromElement, counterKeyFromElement, elementKey } from './render-grant.ts';

type CounterSet = (typeof COUNTER_SETS)[number];
type Known = { readonly comment: Json | undefined; readonly base: CounterBase; readonly key: CounterReading['key'] };

export class CounterReader {
  #known = new Map<string, Known>();

  /** @param listings what nft listed of each counter set. */
  readings(
    listings: readonly { readonly set: CounterSet; readonly listed: readonly JsonObject[] }[],
  ): CounterReading[] {
    const seen = new Map<string, Known>();
    const readings: CounterReading[] = [];
    for (const { set, listed } of listings) {
      for (const item of elementsOf(listed)) {
        const details = isObject(item) ? item['elem'] : undefined;
        if (!isObject(details)) continue;
        const { val, comment, counter } = details as { readonly [key: string]: Json };
        const text = typeof val === 'string' ? val : '';
        const remembered = this.#known.get(text);
        const known = remembered?.comment === comment ? remembered : parsed(set, text, details);
        if (known === undefined) continue;
        seen.set(text, known);
        const { base, key } = known;
        const counted = isObject(counter) ? counter : {};
        readings.push({
          sessionId: base.sessionId,
          key,
          bytes: base.bytes + amount(counted['bytes']),
          packets: base.packets + amount(counted['packets']),
        });
      }
    }
    this.#known = seen;
    return readings;
  }
}

/** What does not parse was not made by us; it is removed with the next full look at the table. */
function parsed(set: CounterSet, text: string, details: JsonObject): Known | undefined {
  const elementName = elementKey(set, [text]);
  const base = baseFromElement(details);
  if (elementName === undefined || base === undefined) return undefined;
  const key = counterKeyFromElement(set, elementName);
  return key === undefined ? undefined : { comment: details['comment'], base, key };
}

function elementsOf(listed: readonly JsonObject[]): readonly Json[] {
  return listed.flatMap(({ set }) => (isObject(set) && isArray(set['elem']) ? set['elem'] : []));
}

function amount(value: Json | undefined): bigint {
  return typeof value === 'number' && value > 0 ? BigInt(value) : 0n;
}
