/** Several endpoints as one: who is asked, who rests, and what two must agree on. */
import t from 'tap';
import { refused, unreachable } from '../../../../agent/adapters/chain/chain-error.ts';
import { createEndpoints } from '../../../../agent/adapters/chain/endpoints.ts';

type Answers = Record<string, (params: readonly unknown[]) => unknown>;

const HONEST: Answers = { eth_chainId: () => '0x7a69', eth_blockNumber: () => '0x64', eth_call: () => '0x01' };

t.test('the next one is asked when the first fails, which then rests, longer each time', async (t) => {
  const down: Answers = {
    eth_chainId: () => {
      throw unreachable('no answer');
    },
  };
  const { endpoints, asked, pass } = scripted(down, HONEST);
  t.equal(await endpoints.request('eth_blockNumber', []), '0x64');
  t.strictSame(asked, ['0 eth_chainId', '1 eth_chainId', '1 eth_blockNumber']);
  asked.length = 0;
  await endpoints.request('eth_blockNumber', []);
  t.strictSame(asked, ['1 eth_blockNumber'], 'while it rests');
  for (const [restMs, isAsked] of [
    [1_000, true],
    [1_999, false],
    [1, true],
  ] as const) {
    pass(restMs);
    asked.length = 0;
    await endpoints.request('eth_blockNumber', []);
    t.equal(asked.includes('0 eth_chainId'), isAsked, `after ${restMs} ms more`);
  }
});

t.test('an endpoint that came back is asked for its chain again', async (t) => {
  let chainId = '0x7a69';
  let isDown = false;
  const { endpoints } = scripted({
    eth_chainId: () => chainId,
    eth_blockNumber: () => {
      if (isDown) throw unreachable('no answer');
      return '0x64';
    },
  });
  await endpoints.request('eth_blockNumber', []);
  isDown = true;
  await t.rejects(endpoints.request('eth_blockNumber', []), { code: 'CHAIN_UNREACHABLE' });
  [isDown, chainId] = [false, '0x1'];
  await t.rejects(endpoints.request('eth_blockNumber', []), {
    code: 'CHAIN_REFUSED',
    message: /on chain 1, configured/,
  });
});

t.test('one revert is not the word of all; a revert of all is', async (t) => {
  const reverting = { ...HONEST, eth_call: () => Promise.reject(refused('execution reverted', { revertData: '0x' })) };
  t.equal(await scripted(reverting, HONEST).endpoints.request('eth_call', []), '0x01');
  await t.rejects(scripted(reverting, reverting).endpoints.request('eth_call', []), { code: 'CHAIN_REFUSED' });
});

t.test('a transaction goes to all; one that takes it is enough, else the plainest word counts', async (t) => {
  const taking = { ...HONEST, eth_sendRawTransaction: () => '0xaa' };
  const saying = { ...HONEST, eth_sendRawTransaction: () => Promise.reject(word('nonce too low')) };
  const silent = { ...HONEST, eth_sendRawTransaction: () => Promise.reject(unreachable('no answer')) };
  const { endpoints, asked } = scripted(silent, saying, taking);
  t.equal(await endpoints.request('eth_sendRawTransaction', ['0x02']), '0xaa');
  t.equal(asked.filter((call) => call.endsWith('eth_sendRawTransaction')).length, 3);
  const refusing = scripted(silent, saying).endpoints.request('eth_sendRawTransaction', ['0x02']);
  await t.rejects(refusing, { message: 'nonce too low' });
});

t.test('two must say the same, at a block that both have and so many confirmations deep', async (t) => {
  const blocks: unknown[] = [];
  const ahead: Answers = {
    ...HONEST,
    eth_blockNumber: () => '0x66',
    eth_call: (params) => {
      blocks.push(params[1]);
      return '0x01';
    },
  };
  t.equal(await scripted(ahead, HONEST).endpoints.agreed('eth_call', [{}], 3n), '0x01');
  t.strictSame(blocks, ['0x62'], 'the lower head, and two blocks below it');
  const other = { ...HONEST, eth_call: () => '0x02' };
  await t.rejects(scripted(HONEST, other).endpoints.agreed('eth_call', [{}], 1n), { message: /no 2 the same/ });
  t.equal(await scripted(other, HONEST, HONEST).endpoints.agreed('eth_call', [{}], 1n), '0x01');
  const down = { eth_chainId: () => Promise.reject(unreachable('no answer')) };
  await t.rejects(scripted(HONEST, down).endpoints.agreed('eth_call', [{}], 1n), { message: /1 of 2 endpoints/ });
  await t.rejects(scripted(down, down).endpoints.agreed('eth_call', [{}], 1n), { message: 'no answer' });
});

t.test('the time is the lower of two', async (t) => {
  const at = (timestamp: string): Answers => ({
    ...HONEST,
    eth_getBlockByNumber: () => ({ number: '0x64', timestamp }),
  });
  t.equal(await scripted(at('0x200')).endpoints.time(), 0x200n);
  t.equal(await scripted(at('0xffffffffff'), at('0x200')).endpoints.time(), 0x200n);
});

t.test('an endpoint far behind another is stale', async (t) => {
  const behind = { ...HONEST, eth_blockNumber: () => '0x5b' };
  const { endpoints } = scripted(behind, HONEST);
  t.equal(await endpoints.request('eth_blockNumber', []), '0x5b', 'nobody knows better yet');
  await endpoints.agreed('eth_call', [{}], 1n);
  t.equal(await endpoints.request('eth_blockNumber', []), '0x64');
});

t.test('one that names a block far ahead of all makes nobody stale, whoever is asked first', async (t) => {
  const liar = { ...HONEST, eth_blockNumber: () => '0x38d7ea4c68000', eth_call: () => '0x02' };
  for (const nodes of [
    [HONEST, HONEST, liar],
    [liar, HONEST, HONEST],
  ]) {
    const { endpoints, pass } = scripted(...nodes);
    await endpoints.agreed('eth_call', [{}], 2n).catch(() => 'the liar was the only one known');
    pass(60_000);
    for (let time = 0; time < 3; time++) t.equal(await endpoints.agreed('eth_call', [{}], 2n), '0x01');
  }
});

t.test('one that is away is no measure for who is stale, one that answers is', async (t) => {
  let isAway = false;
  const away = {
    ...HONEST,
    eth_blockNumber: () => (isAway ? Promise.reject(unreachable('no answer')) : '0x64'),
  };
  let head = 0x64;
  const ahead = { ...HONEST, eth_blockNumber: () => `0x${head.toString(16)}` };
  const { endpoints } = scripted(HONEST, away, ahead);
  await endpoints.agreed('eth_call', [{}], 1n);
  [isAway, head] = [true, 0x96];
  await t.rejects(
    endpoints.agreed('eth_call', [{}], 1n).then(() => endpoints.agreed('eth_call', [{}], 1n)),
    {
      code: 'CHAIN_UNREACHABLE',
      message: /the newest block: 1 of 3 endpoints answered/,
    },
  );
});

t.test('a receipt that one does not have is asked of the others', async (t) => {
  const without = { ...HONEST, eth_getTransactionReceipt: () => null };
  const having = { ...HONEST, eth_getTransactionReceipt: () => ({ status: '0x1' }) };
  const down = { eth_chainId: () => Promise.reject(unreachable('no answer')) };
  const { endpoints } = scripted(down, without, having);
  t.strictSame(await endpoints.request('eth_getTransactionReceipt', ['0xaa']), { status: '0x1' });
  t.equal(await scripted(without, without, down).endpoints.request('eth_getTransactionReceipt', ['0xaa']), null);
});

function scripted(...nodes: readonly Answers[]) {
  const asked: string[] = [];
  let nowMs = 0;
  const endpoints = createEndpoints({
    endpoints: nodes.map((answers, i) => ({
      request: async (method, params) => {
        asked.push(`${i} ${method}`);
        const answer = answers[method];
        if (answer === undefined) throw new Error(`no answer for ${method}`);
        return await answer(params);
      },
    })),
    chainId: 31_337n,
    monotonicMs: () => nowMs,
  });
  return {
    endpoints,
    asked,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

/** What a node says in proper JSON-RPC. */
function word(message: string) {
  return Object.assign(unreachable(message), { isNodesWord: true });
}
