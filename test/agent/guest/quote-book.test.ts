import t from 'tap';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { QuoteBook } from '../../../agent/guest/quote-book.ts';
import { ConfigReload } from '../../../agent/owner/config-reload.ts';
import { AgentScene, NODE } from '../../support/agent-scene.ts';
import { testConfig } from '../core/support/story.ts';

type Price = AgentConfig['price'];

t.test('a quote is handed out again until anything that it promises has changed', (t) => {
  const { clock, signer, log } = new AgentScene();
  const reload = new ConfigReload(testConfig());
  let file = testConfig();
  reload.connect({ read: () => ({ ok: true, config: file }), log, onChange: () => undefined });
  const random32 = () => new Uint8Array(32).fill(3);
  const book = new QuoteBook({ config: reload.view, clock, signer, node: NODE, random32, minuteOfDay: () => 0 });
  const change = (price: Partial<Price>) => {
    file = { ...file, price: { ...file.price, ...price } };
    reload.reload();
    return book.current();
  };
  const first = book.current();
  t.equal(book.current(), first, 'signing costs a router 20-40 ms');
  t.equal(change({ trialBytes: 5n }), first, 'a quote says nothing of trials');
  t.match(change({ tariff: { unitsPerMb: 20n, unitsPerMinute: 0n } }), { unitsPerMb: 20n });
  t.match(change({ tariff: { unitsPerMb: 20n, unitsPerMinute: 7n } }), { unitsPerMinute: 7n });
  t.match(change({ openFee: 60n }), { openFee: 60n });
  t.match(change({ minDeposit: 2_000n }), { minDeposit: 2_000n });
  t.end();
});
