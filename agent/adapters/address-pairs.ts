/** Pairs of MAC and address that come and go by themselves, read three times in a row. */
import type { IpAddress, Mac } from '../core/model.ts';

export type AddressPair = { readonly mac: Mac; readonly address: IpAddress };

/** What is in both outer readings is in the middle one, and what is in the middle one is in one of them. */
export function arePairsBetween(
  before: readonly AddressPair[],
  middle: readonly AddressPair[],
  after: readonly AddressPair[],
): boolean {
  const [first, last, names] = [before, after, middle].map((pairs) => new Set(pairs.map(nameOf)));
  const isInBoth = (name: string): boolean => first?.has(name) === true && last?.has(name) === true;
  const isInOne = (name: string): boolean => first?.has(name) === true || last?.has(name) === true;
  return (
    middle.map(nameOf).every(isInOne) &&
    before
      .map(nameOf)
      .filter(isInBoth)
      .every((name) => names?.has(name))
  );
}

function nameOf({ mac, address }: AddressPair): string {
  return `${mac} ${address}`;
}
