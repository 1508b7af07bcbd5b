/** Words of the rule language as JSON, in exactly the form in which nft lists them, so that rules read back compare equal. */
import type { Json, JsonObject } from './nft-json.ts';

export const ETHER_SOURCE = payload('ether', 'saddr');
export const IP_SOURCE = payload('ip', 'saddr');
export const IP_DESTINATION = payload('ip', 'daddr');
export const IP6_SOURCE = payload('ip6', 'saddr');
export const IP6_DESTINATION = payload('ip6', 'daddr');

export function payload(protocol: string, field: string): JsonObject {
  return { payload: { protocol, field } };
}

/** Bits counted from the beginning of the network header. */
export function rawNetwork(offset: number, len: number): JsonObject {
  return { payload: { base: 'nh', offset, len } };
}

export function meta(key: string): JsonObject {
  return { meta: { key } };
}

export function equals(left: Json, right: Json): JsonObject {
  return { match: { op: '==', left, right } };
}

export function differs(left: Json, right: Json): JsonObject {
  return { match: { op: '!=', left, right } };
}

export function isAbove(left: Json, right: Json): JsonObject {
  return { match: { op: '>', left, right } };
}

export function oneOf(values: readonly Json[]): Json {
  return { set: values };
}

export function concat(...parts: readonly Json[]): JsonObject {
  return { concat: parts };
}

/** One device or any of several, as nft writes it. */
export function anyDevice(devices: readonly string[]): Json {
  const [first = '', ...others] = devices;
  return others.length === 0 ? first : oneOf(devices);
}

export function goto(target: string): JsonObject {
  return { goto: { target } };
}

export function jump(target: string): JsonObject {
  return { jump: { target } };
}

export function quotaByKey(key: Json, map: string): JsonObject {
  return { quota: { map: { key, data: `@${map}` } } };
}

/** Writes what a map says into a header field; leaves it alone if the map does not know the key. */
export function rewriteByKey(field: Json, key: Json, map: string): JsonObject {
  return { mangle: { key: field, value: { map: { key, data: `@${map}` } } } };
}

/** Writes the packet's mark, which lives as long as the packet. */
export function setMark(mark: number): JsonObject {
  return { mangle: { key: meta('mark'), value: mark } };
}

export function limitByKey(key: Json, map: string): JsonObject {
  return { limit: { map: { key, data: `@${map}` } } };
}

/** At most `rate` packets per second after a burst; true while within the limit. */
export function packetLimit(rate: number, burst: number): JsonObject {
  return { limit: { rate, burst, per: 'second' } };
}

export function overPacketLimit(rate: number, burst: number): JsonObject {
  return { limit: { rate, burst, per: 'second', inv: true } };
}

export function remember(key: Json, set: string): JsonObject {
  return { set: { op: 'add', elem: key, set: `@${set}` } };
}

/** A limit for each key on its own. False too if the set is full, so that a crowd of keys gets nothing extra. */
export function withinOwnLimit(key: Json, set: string, rate: number, burst: number): JsonObject {
  return { set: { op: 'add', elem: key, set: `@${set}`, stmt: [packetLimit(rate, burst)] } };
}

export const ACCEPT: JsonObject = { accept: null };
export const DROP: JsonObject = { drop: null };
export const RETURN: JsonObject = { return: null };
