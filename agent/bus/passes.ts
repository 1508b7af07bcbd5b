/** Passes on the bus: docs/ubus.md. Codes are money: only what rpcd's ACL grants `session_end` may ask. */
import { uint64FromDecimal } from '../../protocol/units.ts';
import type { BusAnswer, BusArguments, BusMethods, BusRefusal, BusTable } from '../bus-port.ts';
import type { PassRow } from '../ports.ts';
import type { Treasury } from '../treasury/treasury.ts';

const REFUSALS: Readonly<Record<string, BusRefusal>> = { 'chain-unreachable': 'timed-out', busy: 'permission-denied' };

export function passMethods(passes: Treasury['passes']): BusMethods {
  return {
    pass_list: { args: {}, answer: async () => ({ ok: true, reply: passTable(await passes.list()) }) },
    pass_create: { args: { count: 'int32', value_units: 'string' }, answer: (args) => create(passes, args) },
  };
}

async function create(passes: Treasury['passes'], { count, value_units: value }: BusArguments): Promise<BusAnswer> {
  const units = typeof value === 'string' ? uint64FromDecimal(value) : undefined;
  if (typeof count !== 'number' || units === undefined) {
    return { ok: false, reason: 'invalid-argument', message: 'count must be an integer, value_units a decimal string' };
  }
  const result = await passes.create(count, units);
  if (result.ok) return { ok: true, reply: passTable(result.passes) };
  return { ok: false, reason: REFUSALS[result.reason] ?? 'invalid-argument', message: result.message };
}

function passTable(rows: readonly PassRow[]): BusTable {
  return {
    passes: rows.map(({ serial, code, units, state, leftUnits, address }) => ({
      serial,
      code,
      value_units: `${units}`,
      left_units: leftUnits === undefined ? undefined : `${leftUnits}`,
      state,
      address,
    })),
  };
}
