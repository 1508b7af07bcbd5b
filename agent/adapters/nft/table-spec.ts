/** What a table of ours consists of, apart from what sessions put into it. Rendered by us and read back from the kernel. */

import { GRANT_SETS, type GrantSet, TABLE } from './layout.ts';
import { isArray, isObject, type Json, type JsonObject, type NftCommand, type NftFamily } from './nft-json.ts';

export type SetSpec = {
  readonly name: string;
  readonly type: string | readonly string[];
  /** What a map leads to; absent for a set. */
  readonly map?: 'quota' | 'limit' | 'ether_addr';
  readonly size: number;
  readonly timeout?: number;
  readonly stmt?: readonly Json[];
};

export type ChainSpec = {
  readonly name: string;
  /** Where the chain hooks in; absent for a chain that others go to. */
  readonly base?: { readonly type: 'filter' | 'nat'; readonly hook: string; readonly prio: number };
  readonly rules: readonly (readonly Json[])[];
};

export type TableSpec = {
  readonly family: NftFamily;
  readonly sets: readonly SetSpec[];
  readonly counters: readonly string[];
  readonly chains: readonly ChainSpec[];
};

/** Makes the table with everything in it but no guests. Fails if something of another form stands in its place. */
export function installCommands(spec: TableSpec): NftCommand[] {
  const inTable = { family: spec.family, table: TABLE };
  return [
    { add: { table: { family: spec.family, name: TABLE } } },
    ...spec.sets.map((set) => ({
      add: { [set.map === undefined ? 'set' : 'map']: { ...inTable, ...jsonFromSet(set) } },
    })),
    ...spec.counters.map((name) => ({ add: { counter: { ...inTable, name } } })),
    ...ruleCommands(spec),
  ];
}

/** Writes all rules anew in one transaction; sets, quotas and counters stay as they are. */
export function rewriteRulesCommands(spec: TableSpec, strayChains: readonly string[]): NftCommand[] {
  const inTable = { family: spec.family, table: TABLE };
  const flushed = [...spec.chains.map(({ name }) => name), ...strayChains];
  return [
    ...spec.chains.map((chain) => ({ add: { chain: { ...inTable, ...jsonFromChain(chain) } } })),
    ...flushed.map((chain) => ({ flush: { chain: { ...inTable, name: chain } } })),
    ...strayChains.map((name) => ({ delete: { chain: { ...inTable, name } } })),
    ...spec.chains.flatMap((chain) => rulesOf(spec, chain)),
  ];
}

/** Deletes the table whether it exists or not. */
export function removeCommands(family: NftFamily): NftCommand[] {
  const table = { family, name: TABLE };
  return [{ add: { table } }, { delete: { table } }];
}

export function baseChain(
  name: string,
  type: 'filter' | 'nat',
  hook: string,
  prio: number,
  rules: readonly (readonly Json[])[],
): ChainSpec {
  return { name, base: { type, hook, prio }, rules };
}

/** A set for sessions' elements, of its declared size: the kernel then uses hash tables that never grow or resize. */
export function grantSet(name: GrantSet, type: string | readonly string[]): SetSpec {
  return { name, type, size: GRANT_SETS[name].capacity };
}

/** The same value for all ways to write the same rule: members of a set in one order. */
export function canonical(value: Json): Json {
  if (isArray(value)) return value.map(canonical);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, item]): [string, Json] => {
    const inner = canonical(item);
    const isUnordered = (key === 'set' || key === 'right') && isArray(inner);
    return [key, isUnordered ? inner.toSorted((a, b) => compareText(JSON.stringify(a), JSON.stringify(b))) : inner];
  });
  return Object.fromEntries(entries);
}

function ruleCommands(spec: TableSpec): NftCommand[] {
  const inTable = { family: spec.family, table: TABLE };
  return [
    ...spec.chains.map((chain) => ({ add: { chain: { ...inTable, ...jsonFromChain(chain) } } })),
    ...spec.chains.flatMap((chain) => rulesOf(spec, chain)),
  ];
}

function rulesOf(spec: TableSpec, chain: ChainSpec): NftCommand[] {
  return chain.rules.map((expr) => ({
    add: { rule: { family: spec.family, table: TABLE, chain: chain.name, expr } },
  }));
}

function jsonFromSet(set: SetSpec): JsonObject {
  return {
    name: set.name,
    type: set.type,
    ...(set.map === undefined ? {} : { map: set.map }),
    size: set.size,
    ...(set.timeout === undefined ? {} : { flags: ['timeout'], timeout: set.timeout }),
    ...(set.stmt === undefined ? {} : { stmt: set.stmt }),
  };
}

function jsonFromChain(chain: ChainSpec): JsonObject {
  return { name: chain.name, ...(chain.base === undefined ? {} : { ...chain.base, policy: 'accept' }) };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
