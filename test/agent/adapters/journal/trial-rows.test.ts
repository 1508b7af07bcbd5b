import t from 'tap';
import type { Mac } from '../../../../agent/core/model.ts';
import { openIn } from './open-journal.ts';

const DAY_S = 86_400n;

t.test('trials of days before yesterday are dropped when a new day begins', async (t) => {
  const { journal } = openIn(t);
  for (const day of [1n, 2n, 3n]) {
    const mac = `02:00:00:00:00:0${day}` as Mac;
    await journal.commit([{ kind: 'trial', mac, dayS: day * DAY_S, usedBytes: 5n }]);
  }
  const days = journal.load().trials.map(({ dayS }) => dayS / DAY_S);
  t.strictSame(days, [2n, 3n]);
  journal.close();
});

t.test('what a MAC used is the last that was said', async (t) => {
  const { journal } = openIn(t);
  const mac = '02:00:00:00:00:01' as Mac;
  await journal.commit([{ kind: 'trial', mac, dayS: DAY_S, usedBytes: 5n }]);
  await journal.commit([{ kind: 'trial', mac, dayS: DAY_S, usedBytes: 9n }]);
  t.strictSame(journal.load().trials, [{ mac, dayS: DAY_S, usedBytes: 9n }]);
  journal.close();
});

t.test('the key that asked, the time of a trial and the gifts of the day come back', async (t) => {
  const { journal } = openIn(t);
  const mac = '02:00:00:00:00:01' as Mac;
  const key = `0x${'ab'.repeat(20)}` as const;
  t.notOk('gifts' in journal.load());
  await journal.commit([
    { kind: 'trial', mac, dayS: DAY_S, usedBytes: 5n, key },
    { kind: 'gifts', dayS: DAY_S, bytes: 7n },
  ]);
  await journal.commit([{ kind: 'gifts', dayS: DAY_S, bytes: 9n }]);
  t.strictSame(journal.load().trials, [{ mac, dayS: DAY_S, usedBytes: 5n, key }]);
  t.strictSame(journal.load().gifts, { dayS: DAY_S, bytes: 9n });
  journal.close();
});
