/** What remains of settled channels and final transactions once they are forgotten: their sums. */
import type { Database, Statement } from 'better-sqlite3';
import type { SettledTotals } from '../../ports.ts';
import { toInteger } from './columns.ts';

export type TotalName = 'settled-channels' | 'settled-units' | 'gas-gwei';

export class TotalRows {
  readonly #add: Statement;
  readonly #value: Statement;

  constructor(database: Database) {
    this.#add = database.prepare(`
      INSERT INTO totals (name, value) VALUES (@name, @value)
      ON CONFLICT (name) DO UPDATE SET value = value + excluded.value`);
    this.#value = database.prepare('SELECT value FROM totals WHERE name = ?').pluck();
  }

  add(name: TotalName, value: bigint): void {
    this.#add.run({ name, value: toInteger(value, name) });
  }

  /** Undefined while nothing was forgotten. */
  all(): SettledTotals | undefined {
    const totals = {
      channels: this.#of('settled-channels'),
      units: this.#of('settled-units'),
      gasGwei: this.#of('gas-gwei'),
    };
    return Object.values(totals).every((value) => value === 0n) ? undefined : totals;
  }

  #of(name: TotalName): bigint {
    return (this.#value.get(name) as bigint | undefined) ?? 0n;
  }
}
