/** What becomes of a close or a claim when the chain, or its adapter, does what nobody expected. */
import t from 'tap';
import { channelQuery, tokenQuery } from '../../../agent/adapters/chain/channels-contract.ts';
import { createChain } from '../../../agent/adapters/chain.ts';
import type { LiveChannel } from '../../../agent/core/state.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { PHONE, WLAN0 } from '../core/support/story.ts';

const HOUR_MS = 3_600_000;
const selector = (data: string) => data.slice(0, 10);
const word = (value: bigint) => value.toString(16).padStart(64, '0');

t.test('a chain adapter that breaks stops neither claims nor closes: both are tried again', async (t) => {
  const scene = await paying();
  const { chain } = scene;
  const broken = { claim: 1, close: 1 };
  const [claim, close] = [chain.claim.bind(chain), chain.close.bind(chain)];
  chain.claim = (...request) => (broken.claim-- > 0 ? Promise.reject(new Error('a bug')) : claim(...request));
  chain.close = (...request) => (broken.close-- > 0 ? Promise.reject(new Error('a bug')) : close(...request));
  for (let turn = 0; turn < 6 * 20; turn++) {
    scene.clock.ms += HOUR_MS / 6;
    await scene.sample();
  }
  t.equal(scene.driver.state.settlement.isClaiming, false);
  t.ok(broken.claim < 0, 'claimed again');
  await scene.desk.leave(PHONE);
  await settled();
  t.strictSame(scene.chain.claims, []);
  scene.clock.ms += 10_000;
  await scene.sample();
  t.equal(scene.chain.claims.length, 1);
  t.match([...scene.driver.state.channels.values()], [{ phase: 'settled' }]);
  t.equal(
    scene.events().filter((event) => event === 'settlement-broke-off').length,
    2,
    'and the owner is told of both',
  );
});

t.test("a node's revert data that was cut off is a failure like any other", async (t) => {
  const scene = await paying();
  const { chainId, channels, token } = scene.config.chain;
  const { signer: gasKey } = scene;
  const answers = (method: string, data = ''): object => {
    if (method === 'eth_chainId') return { result: `0x${chainId.toString(16)}` };
    if (selector(data) === selector(tokenQuery())) return { result: `0x${token.slice(2).padStart(64, '0')}` };
    if (selector(data) === selector(channelQuery(`0x${word(0n)}`)))
      return { result: `0x${[10_000n, 0n, 0n, 0n].map(word).join('')}` };
    return { error: { code: 3, message: 'execution reverted', data: '0x08c379a0' } };
  };
  const node = (_url: unknown, init?: RequestInit): Promise<Response> => {
    const { id, method, params } = JSON.parse(String(init?.body));
    return Promise.resolve(Response.json({ jsonrpc: '2.0', id, ...answers(method, params[0]?.data) }));
  };
  const rpcUrl = 'http://node.invalid';
  const real = createChain({ rpcUrl, chainId, channels, token, gasKey, fetch: node as typeof fetch });
  const { config, voucher } = onlyChannel(scene);
  const failure = { ok: false, reason: 'refused', message: /execution reverted/ };
  t.match(await real.close(config, voucher, 50n), failure);
  t.match(await real.claim([{ config, voucher, amount: 50n }]), failure);
});

t.test(
  'a channel that its payer took back while the router was away earned nothing, and the receipt says so',
  async (t) => {
    const scene = await paying();
    const { id } = onlyChannel(scene);
    scene.chain.channels.set(id, { deposit: 10_000n, claimed: 0n, exitAt: 1n, isClosed: true });
    await scene.desk.leave(PHONE);
    await settled();
    t.match(scene.driver.state.channels.get(id), { phase: 'settled', closeUnits: 0n });
    t.equal(scene.driver.state.settledUnits, 0n);
    t.match(scene.desk.receipt(PHONE), { paidUnits: 0n, refundUnits: 10_000n });
    t.match(
      scene.logged.filter(({ event }) => event === 'channel-closed'),
      [{ level: 'warn', details: { units: '0', expected: '5050' } }],
    );
  },
);

/** A guest that has used 500 MB. */
async function paying(): Promise<AgentScene> {
  const scene = new AgentScene((config) => ({ ...config, chain: { ...config.chain, marginSeconds: HOUR_MS / 1_000 } }));
  scene.driver.dispatch({ kind: 'station-joined', mac: PHONE, port: WLAN0 });
  await scene.desk.open(PHONE, scene.openRequest({ firstAmount: 9_000n }));
  scene.download(500_000_000n);
  await scene.sample();
  return scene;
}

function onlyChannel({ driver }: AgentScene): LiveChannel {
  const [channel] = driver.state.channels.values();
  if (channel === undefined) throw new Error('The guest has no channel.');
  return channel;
}
