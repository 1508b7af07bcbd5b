/** Started by kill.test.ts as a process of its own: raises the vouchers of four channels for ever, says what is durable. */
import { writeSync } from 'node:fs';
import fc from 'fast-check';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { channel } from './entries.ts';

const journal = new SqliteJournal({ path: process.argv[2] as string, windowMs: 0 });
const stored = new Map(journal.load().channels.map(({ id, voucher }) => [id, voucher.amount]));
const channels = fc.sample(channel, { seed: 11, numRuns: 4 });

async function pay(index: number): Promise<never> {
  const base = channels[index] as (typeof channels)[number];
  for (let amount = (stored.get(base.id) ?? 0n) + 1n; ; amount++) {
    const voucher = { ...base.voucher, amount };
    const entry = { ...base, phase: 'active' as const, deposit: 1n << 60n, voucher };
    await journal.commit([{ kind: 'channel', channel: entry }]);
    // Synchronous: what was said before the kill has reached the parent's pipe.
    writeSync(1, `${base.id} ${amount}\n`);
  }
}

await Promise.all(channels.map((_, index) => pay(index)));
