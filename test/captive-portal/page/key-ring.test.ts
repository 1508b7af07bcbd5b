/** What the page remembers where there is no storage, and what it leaves behind. */
import t from 'tap';
import { PASS_CODE } from '../support/cafe.ts';

const tab = Object.assign(globalThis, { name: '' });

/** The module anew, as after a navigation: its memory is gone. */
async function loaded() {
  return (await import(
    `../../../captive-portal/page/key-ring.ts?${loads++}`
  )) as typeof import('../../../captive-portal/page/key-ring.ts');
}
let loads = 0;

t.beforeEach(() => {
  tab.name = '';
});

t.test(
  "without storage the code survives the page's own navigation, and is in window.name at no other time",
  async (t) => {
    const before = await loaded();
    const keys = before.keysFromText(PASS_CODE, 'stream');
    if (keys === undefined) throw new Error('no code');
    const deal = {
      channelId: `0x${'55'.repeat(32)}`,
      most: 50_000n,
      tariff: { unitsPerMb: 1_000n, unitsPerMinute: 0n },
    } as const;
    before.rememberKeys({ ...keys, deal });
    t.equal(tab.name, '', 'a guest who leaves now leaves nothing');
    before.carryKeys();
    t.match(tab.name, keys.code);
    const after = await loaded();
    t.strictSame(after.recallKeys(), { ...keys, deal });
    t.equal(tab.name, '', 'taken out of it at once');
    t.strictSame(after.recallKeys(), { ...keys, deal });
  },
);

t.test('a deal without a price, and one that is no deal', async (t) => {
  const ring = await loaded();
  const keys = ring.keysFromText(PASS_CODE, 'hold');
  if (keys === undefined) throw new Error('no code');
  const deal = { channelId: `0x${'55'.repeat(32)}`, most: 1n, tariff: undefined } as const;
  ring.rememberKeys({ ...keys, deal });
  t.strictSame(ring.recallKeys(), { ...keys, deal });
  for (const rest of ['', ':0x55:1', `:0x${'55'.repeat(32)}:-1`, `:0x${'55'.repeat(32)}`]) {
    tab.name = `ssp-pass:hold:${keys.code}${rest}`;
    t.strictSame((await loaded()).recallKeys(), keys, JSON.stringify(rest));
  }
});
