/** A node that answers with logs of another shape is named as the failure: nothing is added up of them, and nothing ends in a stack. */
import t from 'tap';
import { readEpoch } from '../../fleet/rewards-ledger.ts';
import { RewardsRpcError } from '../../fleet/rewards-rpc.ts';
import { keccak256Hex } from '../../protocol/keccak.ts';
import { EPOCH_S } from '../../protocol/rewards.ts';

const HUB = `0x${'11'.repeat(20)}` as const;
const REWARDS = `0x${'22'.repeat(20)}` as const;
const EPOCH = 3n;
const WORD = `0x${'00'.repeat(31)}01`;
const CLAIMED = keccak256Hex(new TextEncoder().encode('Claimed(bytes32,address,uint64,uint64)'));

/** Four blocks: before, in and after the epoch; this one log in it. */
function node(log: object) {
  const times = [EPOCH * EPOCH_S - 1n, EPOCH * EPOCH_S, (EPOCH + 1n) * EPOCH_S - 1n, (EPOCH + 1n) * EPOCH_S];
  return {
    request: (method: string, params: readonly unknown[] = []) => {
      if (method === 'eth_blockNumber') return Promise.resolve('0x3');
      if (method === 'eth_call') return Promise.resolve(WORD);
      if (method === 'eth_getBlockByNumber') {
        const number = Number(params[0]);
        return Promise.resolve({ number: params[0], timestamp: `0x${(times[number] as bigint).toString(16)}` });
      }
      const { address } = params[0] as { address: string };
      return Promise.resolve(address === HUB ? [log] : []);
    },
  };
}

const read = (log: object) => readEpoch(node(log), REWARDS, { channels: HUB }, EPOCH);
const good = { address: HUB, topics: [CLAIMED, WORD, WORD], data: `0x${'00'.repeat(31)}05${'00'.repeat(31)}09` };

t.test('a whole log counts', async (t) => {
  t.match((await read(good)).logs, [{ delta: 5n }]);
});

t.test('a log without its device, without an amount, or of no bytes is refused by name', async (t) => {
  const bad = [
    { ...good, topics: [CLAIMED, WORD] },
    { ...good, topics: [CLAIMED, WORD, '0x01'] },
    { ...good, data: '0x' },
    { ...good, data: '0x0102' },
    { ...good, data: 'garbage' },
    { ...good, data: 7 },
    { ...good, topics: 'none' },
  ];
  for (const log of bad) await t.rejects(read(log), RewardsRpcError, JSON.stringify(log).slice(0, 60));
});
