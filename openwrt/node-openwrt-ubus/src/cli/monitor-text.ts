/** A monitored message as `ubus monitor` prints it: "-> client #peer type: {attributes}". */
import { visitAttributes } from '../blob.ts';
import { MessageType } from '../message.ts';
import type { MonitoredMessage } from '../monitor.ts';
import { cString, jsonText, quoted } from './json-text.ts';

type Kind = 'int32' | 'int8' | 'string' | 'nested';

/** Attributes in the order of their numbers; target and subscribers are not printed, as by the real command. */
const ATTRIBUTES: ReadonlyMap<number, readonly [name: string, kind: Kind]> = new Map([
  [1, ['status', 'int32']],
  [2, ['objpath', 'string']],
  [3, ['objid', 'int32']],
  [4, ['method', 'string']],
  [5, ['objtype', 'int32']],
  [6, ['signature', 'nested']],
  [7, ['data', 'nested']],
  [9, ['active', 'int8']],
  [10, ['no_reply', 'int8']],
  [12, ['user', 'string']],
  [13, ['group', 'string']],
]);

const TYPE_NAMES: readonly string[] = Object.entries(MessageType)
  .filter(([, type]) => type !== MessageType.MONITOR)
  .sort(([, a], [, b]) => a - b)
  .map(([name]) => name.toLowerCase());

/** One line, without its end; one character for each byte. */
export function monitorText({ clientId, peer, type, isSent, payload }: MonitoredMessage): string {
  const name = (TYPE_NAMES[type] ?? String(type)).padStart(14);
  return `${isSent ? '->' : '<-'} ${hex(clientId)} #${hex(peer)} ${name}: ${attributesText(payload)}`;
}

function attributesText(payload: Buffer): string {
  const values = new Map<number, string>();
  visitAttributes(payload, 0, payload.length, (id, _isExtended, start, end) => {
    const kind = ATTRIBUTES.get(id)?.[1];
    const text = kind === undefined ? undefined : valueText(payload, kind, start, end);
    if (text !== undefined) values.set(id, text);
  });
  const shown = [...ATTRIBUTES].filter(([id]) => values.has(id));
  return `{${shown.map(([id, [name]]) => `${quoted(name)}:${values.get(id)}`).join(',')}}`;
}

/** Undefined for a value of a wrong size, which counts as absent. */
function valueText(bytes: Buffer, kind: Kind, start: number, end: number): string | undefined {
  const size = end - start;
  switch (kind) {
    case 'int32':
      return size === 4 ? String(bytes.readInt32BE(start)) : undefined;
    case 'int8':
      return size === 1 ? String(bytes[start] !== 0) : undefined;
    case 'string':
      return size > 0 && bytes[end - 1] === 0 ? quoted(cString(bytes, start, end)) : undefined;
    case 'nested':
      return jsonText(bytes.subarray(start, end), false);
  }
}

function hex(id: number): string {
  return id.toString(16).padStart(8, '0');
}
