/** A journal's file is copied, goes on, and is put back from the copy: real files, the whole way. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';
import { activeChannel, openIn, threeProofs } from './open-journal.ts';

t.test(
  'a copy put back after another start or end is known for what it is, once and in each of its channels',
  async (t) => {
    const { journal, path } = openIn(t);
    await journal.commit([{ kind: 'channel', channel: activeChannel(10n) }]);
    journal.close();
    copyFileSync(path, `${path}.backup`);
    const next = new SqliteJournal({ path });
    t.notOk(next.load().isOldCopy, 'closed and opened again it is the journal');
    await next.commit([{ kind: 'voucher', channel: activeChannel(500n) }]);
    next.close();
    copyFileSync(`${path}.backup`, path);
    const restored = new SqliteJournal({ path });
    t.match(restored.load(), {
      isOldCopy: true,
      lives: { life: 2, marked: 4 },
      channels: [{ isStale: true, voucher: { amount: 10n } }],
    });
    restored.close();
    const later = new SqliteJournal({ path });
    const { lives, isOldCopy, channels } = later.load();
    t.equal(lives, undefined, 'found once');
    t.equal(isOldCopy, true, 'proofs are held until one is stored');
    t.equal(channels[0]?.isStale, true, 'what it knows of a channel stays old');
    const [{ record, body }] = threeProofs();
    await later.commit([{ kind: 'proof', record, body }]);
    t.equal(later.load().isOldCopy, undefined);
    await later.commit([{ kind: 'channel', channel: activeChannel(11n) }]);
    t.match(later.load().channels, [{ isStale: true, voucher: { amount: 11n } }], 'whatever is written of it');
    later.close();
  },
);

t.test('one that was copied while it was open is found too, also without its log', async (t) => {
  const { journal, path } = openIn(t);
  await journal.commit([{ kind: 'channel', channel: activeChannel(10n) }]);
  copyFileSync(path, `${path}.backup`);
  await journal.commit([{ kind: 'voucher', channel: activeChannel(20n) }]);
  journal.close();
  copyFileSync(`${path}.backup`, path);
  const restored = new SqliteJournal({ path });
  t.equal(restored.load().isOldCopy, true);
  restored.close();
});

t.test('a file that is gone is an old copy as well: numbers of proofs would begin anew', (t) => {
  const { journal, path } = openIn(t);
  journal.close();
  rmSync(path);
  const anew = new SqliteJournal({ path });
  t.match(anew.load(), { isOldCopy: true, lives: { life: 0, marked: 1 }, channels: [] });
  anew.close();
  t.end();
});

t.test('a stored proof ends it in the same run', async (t) => {
  const { journal, path } = openIn(t);
  journal.close();
  rmSync(path);
  const anew = new SqliteJournal({ path });
  const [{ record, body }] = threeProofs();
  await anew.commit([{ kind: 'proof', record, body }]);
  t.match(anew.load(), { isOldCopy: undefined, lives: undefined });
  anew.close();
});

t.test('a mark that is gone, behind, or no number says nothing; one that cannot be written stops nothing', (t) => {
  const { journal, path } = openIn(t);
  journal.close();
  for (const mark of ['', '0\n', 'x\n', '1', `${'9'.repeat(16)}\n`]) {
    writeFileSync(`${path}.mark`, mark);
    const opened = new SqliteJournal({ path });
    t.equal(opened.load().isOldCopy, undefined, JSON.stringify(mark));
    opened.close();
  }
  rmSync(`${path}.mark`);
  const without = new SqliteJournal({ path });
  t.equal(without.load().isOldCopy, undefined);
  without.close();
  t.match(readFileSync(`${path}.mark`, 'latin1'), /^[1-9]\d*\n$/);
  t.end();
});

t.test('settled and failed channels are over, whoever knows better', async (t) => {
  const { journal, path } = openIn(t);
  const settled = { ...activeChannel(10n), phase: 'settled' as const, closeUnits: 10n };
  await journal.commit([{ kind: 'channel', channel: settled }]);
  journal.close();
  copyFileSync(path, `${path}.backup`);
  new SqliteJournal({ path }).close();
  copyFileSync(`${path}.backup`, path);
  const restored = new SqliteJournal({ path });
  t.match(restored.load(), { isOldCopy: true, channels: [{ phase: 'settled', isStale: undefined }] });
  restored.close();
});

t.test(
  'a life without a commit counts once; where the mark cannot be written the journal works all the same',
  async (t) => {
    const { journal, path } = openIn(t);
    journal.close();
    t.equal(readFileSync(`${path}.mark`, 'latin1'), '1\n');
    rmSync(`${path}.mark`);
    mkdirSync(`${path}.mark`);
    const unmarked = new SqliteJournal({ path });
    await unmarked.commit([{ kind: 'channel', channel: activeChannel(10n) }]);
    unmarked.close();
    const later = new SqliteJournal({ path });
    t.match(later.load(), { isOldCopy: undefined, channels: [{ voucher: { amount: 10n } }] });
    later.close();
  },
);
