import t from 'tap';

import { activeChannel, openIn } from './open-journal.ts';

t.test('a stored voucher never decreases, even if an entry with an older one comes later', async (t) => {
  const { journal } = openIn(t);
  const newer = activeChannel(900n);
  await journal.commit([{ kind: 'channel', channel: newer }]);
  await journal.commit([{ kind: 'channel', channel: { ...activeChannel(400n, newer), phase: 'drain' } }]);
  const stored = journal.load().channels;
  t.strictSame(stored, [{ ...newer, phase: 'drain' }], 'the phase is new, the voucher is not');
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
