import SqliteDatabase from 'better-sqlite3';
import t from 'tap';
import { SqliteJournal } from '../../../../agent/adapters/journal/sqlite-journal.ts';

import { activeChannel, openIn } from './open-journal.ts';

t.test('a stored voucher never decreases, even if an entry with an older one comes later', async (t) => {
  const { journal } = openIn(t);
  const newer = activeChannel(900n);
  await journal.commit([{ kind: 'channel', channel: newer }]);
  await journal.commit([{ kind: 'channel', channel: { ...activeChannel(400n, newer), phase: 'grace' } }]);
  const stored = journal.load().channels;
  t.strictSame(stored, [{ ...newer, phase: 'grace' }], 'the phase is new, the voucher is not');
  journal.close();
});

t.test('a voucher above the deposit is refused unless the channel is pending or failed', async (t) => {
  const { journal } = openIn(t);
  const over = { ...activeChannel(1001n), deposit: 1000n };
  await t.rejects(journal.commit([{ kind: 'channel', channel: over }]), {
    code: 'JOURNAL_REFUSED',
    message: /active.*voucher of 1001, which is above its deposit of 1000/,
  });
  await journal.commit([{ kind: 'channel', channel: { ...over, phase: 'pending', deposit: 0n } }]);
  t.equal(journal.load().channels.length, 1);
  journal.close();
});

t.test('a channel that serves with a voucher above its deposit waits for the chain; the others go on', async (t) => {
  const { journal, path } = openIn(t);
  const [good, bad, over] = [1n, 2n, 3n].map((n) => {
    const id = `0x${n.toString(16).padStart(64, '0')}` as const;
    const channel = { ...activeChannel(400n), id, deposit: 1000n };
    return {
      ...channel,
      phase: n === 3n ? ('settled' as const) : ('active' as const),
      voucher: { ...channel.voucher, channelId: id },
    };
  });
  for (const channel of [good, bad, over])
    if (channel !== undefined) await journal.commit([{ kind: 'channel', channel }]);
  journal.close();
  const database = new SqliteDatabase(path);
  database.exec('UPDATE channels SET deposit = 300 WHERE row > 1');
  database.close();
  const later = new SqliteJournal({ path });
  const { channels, uncovered } = later.load();
  t.match(channels, [good, { ...bad, phase: 'pending', deposit: 300n }, { ...over, deposit: 300n }]);
  t.match(uncovered, [{ id: bad?.id, phase: 'active' }]);
  later.close();
});

t.test('a voucher alone is stored over a lower one of an active channel, and no other', async (t) => {
  const { journal } = openIn(t);
  const channel = { ...activeChannel(400n), phase: 'active' as const, deposit: 1000n };
  await journal.commit([{ kind: 'channel', channel }]);
  const newer = { ...activeChannel(900n, channel), phase: 'active' as const };
  await journal.commit([{ kind: 'voucher', channel: newer }]);
  await journal.commit([{ kind: 'voucher', channel: activeChannel(500n, channel) }]);
  t.strictSame(journal.load().channels, [newer]);
  const over = activeChannel(1001n, channel);
  await t.rejects(journal.commit([{ kind: 'voucher', channel: over }]), {
    code: 'JOURNAL_REFUSED',
    message: /deposit/,
  });
  const foreign = { ...newer, voucher: { ...newer.voucher, channelId: `0x${'99'.repeat(32)}` as const } };
  await t.rejects(journal.commit([{ kind: 'voucher', channel: foreign }]), { code: 'JOURNAL_REFUSED' });
  t.strictSame(journal.load().channels, [newer]);
  journal.close();
});

t.test('a voucher of a channel that the journal does not hold as active brings the channel with it', async (t) => {
  const { journal } = openIn(t);
  const channel = { ...activeChannel(400n), phase: 'pending' as const, deposit: 0n };
  await journal.commit([{ kind: 'channel', channel }]);
  const paid = { ...activeChannel(900n, channel), phase: 'active' as const, deposit: 1000n };
  await journal.commit([{ kind: 'voucher', channel: paid }]);
  t.strictSame(journal.load().channels, [paid]);
  journal.close();
});
