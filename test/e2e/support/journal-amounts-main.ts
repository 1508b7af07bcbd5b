/** Says the voucher of each channel in a journal: `ID AMOUNT` a line. Run: journal-amounts-main.ts PATH */
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';

const journal = new SqliteJournal({ path: process.argv[2] as string });
for (const { id, voucher } of journal.load().channels) process.stdout.write(`${id} ${voucher.amount}\n`);
journal.close();
