import t from 'tap';
import { refused, unreachable } from '../../../../agent/adapters/chain/chain-error.ts';
import { createChannelsReader, UNKNOWN_TX } from '../../../../agent/adapters/chain/channels-reader.ts';
import type { Address } from '../../../../protocol/address.ts';
import type { Hex } from '../../../../protocol/hex.ts';

const CHANNELS: Address = `0x${'cc'.repeat(20)}`;
const TOKEN: Address = `0x${'70'.repeat(20)}`;
const ID: Hex = `0x${'1d'.repeat(32)}`;
const TOPIC: Hex = `0x${'70'.repeat(32)}`;
const TX: Hex = `0x${'ff'.repeat(32)}`;

t.test('the deployment is asked for once and then taken as known', async (t) => {
  const node = scriptedNode({
    eth_call: () => `0x${'00'.repeat(12)}${TOKEN.slice(2)}`,
  });
  await node.reader.checkDeployment();
  await node.reader.checkDeployment();
  t.strictSame(node.methods, ['eth_call']);
});

t.test('a deployment that could not be checked is checked again', async (t) => {
  let calls = 0;
  const node = scriptedNode({
    eth_call: () => {
      if (++calls === 1) throw unreachable('HTTP status 503');
      return `0x${'00'.repeat(12)}${TOKEN.slice(2)}`;
    },
  });
  await t.rejects(node.reader.checkDeployment(), { code: 'CHAIN_UNREACHABLE' });
  await node.reader.checkDeployment();
  t.equal(calls, 2);
});

t.test('an earlier transaction is looked for in the blocks that public nodes search', async (t) => {
  const asked: unknown[] = [];
  const node = scriptedNode({
    eth_blockNumber: () => '0x10000',
    eth_getLogs: (params) => {
      asked.push(params[0]);
      return [{ transactionHash: `0x${'ee'.repeat(32)}` }, { transactionHash: TX }];
    },
  });
  t.equal(await node.reader.findTx(ID, [TOPIC]), TX, 'the newest');
  t.strictSame(asked, [{ address: CHANNELS, fromBlock: `0x${(0x10000 - 2000).toString(16)}`, topics: [[TOPIC], ID] }]);
});

t.test('a transaction that is not found, or not told, has no name', async (t) => {
  const answers: ((params: readonly unknown[]) => unknown)[] = [
    () => [],
    () => null,
    () => [{ transactionHash: 'none' }],
    () => {
      throw refused('query returned more than 10000 results');
    },
  ];
  for (const eth_getLogs of answers) {
    const { reader } = scriptedNode({ eth_blockNumber: () => '0x5', eth_getLogs });
    t.equal(await reader.findTx(ID, [TOPIC]), UNKNOWN_TX);
  }
});

t.test('a bug while looking is thrown on', async (t) => {
  const { reader } = scriptedNode({});
  await t.rejects(reader.findTx(ID, [TOPIC]), { message: 'no answer for eth_blockNumber' });
});

function scriptedNode(answers: Record<string, (params: readonly unknown[]) => unknown>) {
  const methods: string[] = [];
  const ask = (method: string, params: readonly unknown[]): Promise<unknown> => {
    methods.push(method);
    const answer = answers[method];
    if (answer === undefined) return Promise.reject(new Error(`no answer for ${method}`));
    return Promise.resolve().then(() => answer(params));
  };
  const reader = createChannelsReader({
    rpc: {
      request: ask,
      agreed: (method, params) => ask(method, params).then((value) => value as Hex),
      time: () => Promise.reject(new Error('not asked here')),
    },
    confirmations: 1n,
    channels: CHANNELS,
    token: TOKEN,
  });
  return { reader, methods };
}
