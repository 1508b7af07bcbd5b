/** Gas of every operation against the prototype's table, and against contracts/gas-snapshot.json. */
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { startAnvilWithContracts } from '../support/anvil.ts';
import type { GasRow } from './gas-row.ts';
import { GAS_BARS, measureGas } from './gas-rows.ts';

const SNAPSHOT = new URL('../../contracts/gas-snapshot.json', import.meta.url);
/** Signatures have more or fewer zero bytes when sources or keys change: a few dozen gas of call data. */
const TOLERANCE_GAS = 100;

const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const rows = await measureGas(anvil);
if (process.env['UPDATE_GAS_SNAPSHOT'] === '1') writeFileSync(SNAPSHOT, snapshotText(rows));
const snapshot = JSON.parse(readFileSync(SNAPSHOT, 'utf8')) as Record<string, number>;

t.test('no operation costs more gas than in the prototype', (t) => {
  for (const [operation, bar] of Object.entries(GAS_BARS)) {
    const gas = rows.find((row) => row.operation === operation)?.gas ?? Number.POSITIVE_INFINITY;
    t.ok(gas <= bar, `${operation}: ${gas} gas, bar ${bar}`);
  }
  t.end();
});

t.test('the committed gas snapshot is what is measured (UPDATE_GAS_SNAPSHOT=1 renews it)', (t) => {
  t.same(
    Object.keys(snapshot),
    rows.map((row) => row.operation),
  );
  for (const { operation, gas } of rows) {
    const expected = snapshot[operation] ?? Number.NaN;
    t.ok(Math.abs(gas - expected) <= TOLERANCE_GAS, `${operation}: ${gas} gas, snapshot ${expected}`);
  }
  t.end();
});

function snapshotText(measured: readonly GasRow[]): string {
  const entries = measured.map(({ operation, gas }) => [operation, gas] as const);
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
