/** The two tick routes over HTTP, in front of the real desk, core and a journal that outlives the agent. */
import t from 'tap';
import { hexFromBytes } from '../../protocol/hex.ts';
import { tickChain } from '../../protocol/payword.ts';
import { signTickVoucher, tickVoucherJsonFromTickVoucher } from '../../protocol/tick-voucher.ts';
import { tickJsonFromTick } from '../../protocol/tick-wire.ts';
import { voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { PHONE } from '../agent/core/support/story.ts';
import { AgentScene, GUEST_KEY } from '../support/agent-scene.ts';
import { byGuest, cafe } from './support/cafe.ts';

/** A guest who streams, its chain of 64 ticks of 10 units on top of 1,050, and the portal before the agent. */
async function streaming() {
  const scene = new AgentScene();
  const request = scene.openRequest({ mode: 'stream' });
  const opened = await scene.desk.open(PHONE, request);
  if (!opened.ok) throw new Error(`open refused: ${opened.reason}`);
  const { app } = await cafe({
    voucher: (_, voucher) => scene.desk.voucher(PHONE, voucher),
    tickVoucher: (_, voucher) => scene.desk.tickVoucher(PHONE, voucher),
    tick: (_, channelId, tick) => scene.desk.tick(PHONE, channelId, tick),
  });
  const words = tickChain(new Uint8Array(32).fill(6), 64);
  const { channelId } = request.voucher;
  const anchor = hexFromBytes(words[0] as Uint8Array);
  const unsigned = { channelId, amount: 1_050n, anchor, tickValue: 10n, ticks: 64n };
  const voucher = tickVoucherJsonFromTickVoucher(signTickVoucher(scene.deployment, unsigned, GUEST_KEY));
  const tick = (index: number) =>
    tickJsonFromTick({ channelId, tick: { index, preimage: words[index] as Uint8Array } });
  const post = (url: string, payload: object) => app.inject({ ...byGuest('POST', url), payload });
  return { scene, request, voucher, tick, post };
}

t.test('a chain is begun and its ticks are answered with what they promise', async (t) => {
  const { voucher, tick, post } = await streaming();
  const before = await post('/api/tick', tick(1));
  t.equal(before.statusCode, 409);
  t.match(before.json(), { reason: 'no-tick-voucher' });
  const begun = await post('/api/tick-voucher', voucher);
  t.equal(begun.statusCode, 200);
  t.match(begun.json(), { v: 1, phase: 'active', creditUnits: '1050' });
  const paid = await post('/api/tick', tick(3));
  t.equal(paid.statusCode, 200);
  t.strictSame(paid.json(), { promisedUnits: '1080' });
});

t.test('a tick again, an invented one, and one too many are refused, each with its reason', async (t) => {
  const { scene, request, voucher, tick, post } = await streaming();
  await post('/api/tick-voucher', voucher);
  await post('/api/tick', tick(3));
  const again = await post('/api/tick', tick(3));
  t.equal(again.statusCode, 409);
  t.match(again.json(), { reason: 'tick-not-later', expected: 'a tick after 3' });
  t.match((await post('/api/tick', { ...tick(4), pre: tick(3).pre })).json(), { reason: 'tick-not-in-chain' });
  scene.clock.ms += 60_001;
  const late = await post('/api/tick', tick(4));
  t.equal(late.statusCode, 409);
  t.match(late.json(), { reason: 'renewal-due', last: { amt: '1050' } });
  t.equal((await post('/api/voucher', voucherJsonFromVoucher(scene.voucher(request, 1_080n)))).statusCode, 200);
  t.strictSame((await post('/api/tick', tick(4))).json(), { promisedUnits: '1090' });
});

t.test('a chain that was answered goes on after a restart of the router', async (t) => {
  const { scene, voucher, tick, post } = await streaming();
  await post('/api/tick-voucher', voucher);
  scene.restart();
  t.strictSame((await post('/api/tick', tick(1))).json(), { promisedUnits: '1060' });
});

t.test('what is no tick voucher or tick never comes to the desk', async (t) => {
  const { voucher, tick, post } = await streaming();
  for (const [url, body] of [
    ['/api/tick-voucher', { ...voucher, ticks: '257' }],
    ['/api/tick-voucher', { ...voucher, more: 1 }],
    ['/api/tick', { ...tick(1), i: 0 }],
    ['/api/tick', { ...tick(1), pre: '0x12' }],
  ] as const) {
    const refused = await post(url, body);
    t.equal(refused.statusCode, 400, `${url} ${JSON.stringify(body).slice(0, 60)}`);
    t.match(refused.headers['content-type'], /application\/problem\+json/);
  }
});
