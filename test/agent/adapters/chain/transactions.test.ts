/** Nonces, fees and receipts against a scripted node: what a real one does rarely, or only when it lies. */
import { Transaction } from 'micro-eth-signer';
import t from 'tap';
import { ChainError, refused, unreachable } from '../../../../agent/adapters/chain/chain-error.ts';
import { createTransactions, type TransactionsDeps } from '../../../../agent/adapters/chain/transactions.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { signerFromSecretKey } from '../../../support/channel-scene.ts';

const GWEI = 1_000_000_000n;
const KEY = new Uint8Array(32).fill(7);
const CALL = { to: `0x${'11'.repeat(20)}`, data: '0x1234' } as const;
const MINED = { status: '0x1', gasUsed: '0x5208', blockNumber: '0xa', effectiveGasPrice: '0x2', contractAddress: null };

type Answers = Record<string, (params: readonly unknown[]) => unknown>;

t.test('an EIP-1559 transaction of the gas key, with room for gas and for a rising base fee', async (t) => {
  const node = scriptedNode({});
  const receipt = await node.transactions.send(CALL);
  const sent = decoded(node.raws[0]);
  t.equal(receipt.gasUsed, 21_000n);
  t.equal(receipt.tx, `0x${sent.hash.slice(2)}`);
  t.equal(sent.sender.toLowerCase(), signerFromSecretKey(KEY).address);
  t.match(sent.raw, {
    chainId: 31_337n,
    nonce: 5n,
    to: CALL.to,
    value: 0n,
    gasLimit: 125_000n,
    maxFeePerGas: 21n * GWEI,
    maxPriorityFeePerGas: GWEI,
  });
});

t.test('creation code has no receiver, and its receipt names the contract', async (t) => {
  const contractAddress = `0x${'AB'.repeat(20)}`;
  const node = scriptedNode({ eth_getTransactionReceipt: () => ({ ...MINED, contractAddress }) });
  t.equal((await node.transactions.send({ data: '0x6000' })).contract, contractAddress.toLowerCase());
  t.match(decoded(node.raws[0]).raw, { to: '0x' });
});

t.test('transactions under way at once get one nonce after the other though the node lags', async (t) => {
  let polls = 0;
  const node = scriptedNode({ eth_getTransactionReceipt: () => (++polls < 20 ? null : MINED) });
  await Promise.all([node.transactions.send(CALL), node.transactions.send(CALL), node.transactions.send(CALL)]);
  t.strictSame(new Set(node.nonces()), new Set([5n, 6n, 7n]));
});

t.test('what is not mined in time goes on as the same bytes when its purpose is asked for again', async (t) => {
  let isMined = false;
  const node = scriptedNode({ eth_getTransactionReceipt: () => (isMined ? MINED : null) });
  await t.rejects(node.transactions.send(CALL, 'close:0x1'), {
    code: 'CHAIN_UNREACHABLE',
    message: /no receipt of 0x/,
  });
  isMined = true;
  t.equal((await node.transactions.send(CALL, 'close:0x1')).feeWei, 42_000n);
  t.equal(new Set(node.raws).size, 1);
  t.strictSame([...new Set(node.nonces())], [5n]);
});

t.test('a failed one does not stop the next', async (t) => {
  let estimates = 0;
  const node = scriptedNode({
    eth_estimateGas: () => {
      if (++estimates === 1) throw refused('execution reverted');
      return '0x186a0';
    },
  });
  const [first, second] = await Promise.allSettled([node.transactions.send(CALL), node.transactions.send(CALL)]);
  t.equal(first.status, 'rejected');
  t.equal(second.status, 'fulfilled');
});

t.test('a nonce that someone else used is replaced by the next', async (t) => {
  const node = sharedKey([5n]);
  await node.transactions.send(CALL);
  t.strictSame(node.nonces(), [5n, 6n]);
});

t.test('a nonce that is always used by someone else is given up', async (t) => {
  const node = sharedKey([5n, 6n, 7n, 8n]);
  await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_UNREACHABLE', message: /nonce 7 was used by another/ });
  t.strictSame(node.nonces(), [5n, 6n, 7n]);
});

t.test('what must not be mined twice is signed once, whoever uses its nonce', async (t) => {
  const node = sharedKey([5n]);
  await t.rejects(node.transactions.sendOnce(CALL, 'send:1'), { code: 'CHAIN_UNREACHABLE', message: /look, and try/ });
  t.strictSame(node.nonces(), [5n]);
});

t.test('"nonce too low" for what the node has mined itself is no reason to sign another', async (t) => {
  let looks = 0;
  const node = scriptedNode({
    eth_getTransactionCount: () => (node.raws.length === 0 ? '0x5' : '0x6'),
    eth_sendRawTransaction: () => {
      throw unreachable('nonce too low: next nonce 6, tx nonce 5');
    },
    // Mined, but this node lags: it has the receipt only at the third look.
    eth_getTransactionReceipt: () => (++looks < 3 ? null : MINED),
  });
  await node.transactions.send(CALL, 'send:1');
  t.equal(node.raws.length, 1);
});

t.test('a lost answer to the sending is settled by the receipt', async (t) => {
  const node = scriptedNode({
    eth_sendRawTransaction: () => {
      throw unreachable('eth_sendRawTransaction at node: no answer within 10000 ms');
    },
  });
  t.equal((await node.transactions.send(CALL)).gasUsed, 21_000n);
});

t.test('a transaction without a receipt is offered again, whatever the node says to it', async (t) => {
  let polls = 0;
  const node = scriptedNode({
    eth_getTransactionReceipt: () => (++polls < 12 ? null : MINED),
    eth_sendRawTransaction: (params) => {
      if (node.raws.length > 1) throw refused('insufficient funds for gas * price + value');
      return params[0];
    },
  });
  await node.transactions.send(CALL);
  t.equal(node.raws.length, 3, 'offered once and twice again');
  t.equal(new Set(node.raws).size, 1, 'the very same transaction');
});

t.test('a node that fails while we wait is asked again until the time is over', async (t) => {
  let polls = 0;
  const node = scriptedNode({
    eth_getTransactionReceipt: () => {
      if (++polls < 4) throw unreachable('HTTP status 429');
      return MINED;
    },
  });
  t.equal((await node.transactions.send(CALL)).gasUsed, 21_000n);
  const dead = scriptedNode({
    eth_getTransactionReceipt: () => {
      throw unreachable('HTTP status 503');
    },
  });
  await t.rejects(dead.transactions.send(CALL), {
    code: 'CHAIN_UNREACHABLE',
    message: /within 1000 ms: HTTP status 503/,
  });
});

t.test('a reverted transaction is refused, not waited for', async (t) => {
  const node = scriptedNode({ eth_getTransactionReceipt: () => ({ ...MINED, status: '0x0' }) });
  await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_REFUSED', message: /was mined and reverted/ });
});

t.test('a gas key without coin is refused', async (t) => {
  const node = scriptedNode({
    eth_sendRawTransaction: () => {
      throw unreachable('insufficient funds for gas * price + value: have 0 want 1');
    },
  });
  await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_REFUSED', message: /cannot pay: send it some/ });
});

t.test('a revert on sending is refused', async (t) => {
  const node = scriptedNode({
    eth_sendRawTransaction: () => {
      throw refused('execution reverted');
    },
  });
  await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_REFUSED' });
});

t.test('nothing is sent while gas costs more than the limit, and never offered above it', async (t) => {
  const dear = scriptedNode({ eth_maxPriorityFeePerGas: () => hex(91n * GWEI) });
  await t.rejects(dear.transactions.send(CALL), { code: 'CHAIN_UNREACHABLE', message: /gas costs .* the limit is/ });
  t.equal(dear.raws.length, 0);
  const nearly = scriptedNode({ eth_maxPriorityFeePerGas: () => hex(90n * GWEI) });
  await nearly.transactions.send(CALL);
  t.match(decoded(nearly.raws[0]).raw, { maxFeePerGas: 100n * GWEI, maxPriorityFeePerGas: 90n * GWEI });
});

t.test('a node that does not know a usual tip gets a small one', async (t) => {
  const node = scriptedNode({
    eth_maxPriorityFeePerGas: () => {
      throw unreachable('the method eth_maxPriorityFeePerGas does not exist');
    },
  });
  await node.transactions.send(CALL);
  t.match(decoded(node.raws[0]).raw, { maxPriorityFeePerGas: 10_000_000n });
});

t.test('garbage from the node is its fault, never a crash', async (t) => {
  const garbage: Answers[] = [
    { eth_estimateGas: () => '0xffffffffffff' },
    { eth_estimateGas: () => 'lots' },
    { eth_getBlockByNumber: () => null },
    { eth_getBlockByNumber: () => ({ baseFeePerGas: 7 }) },
    { eth_getTransactionCount: () => `0x${'ff'.repeat(32)}` },
    { eth_getTransactionCount: () => undefined },
    { eth_getTransactionReceipt: () => 'mined, trust me' },
    { eth_getTransactionReceipt: () => ({ status: 'ok' }) },
  ];
  for (const answers of garbage) {
    const node = scriptedNode(answers);
    await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_UNREACHABLE' });
  }
});

t.test('a bug is thrown on as what it is', async (t) => {
  const bug = new TypeError('a bug');
  const node = (method: string) =>
    scriptedNode({
      [method]: () => {
        throw bug;
      },
    });
  await t.rejects(node('eth_sendRawTransaction').transactions.send(CALL), bug);
  await t.rejects(node('eth_getTransactionReceipt').transactions.send(CALL), bug);
});

t.test('stopping ends the wait', async (t) => {
  const sleep = () => Promise.reject(unreachable('stopped'));
  const node = scriptedNode({ eth_getTransactionReceipt: () => null }, { sleep });
  await t.rejects(node.transactions.send(CALL), { code: 'CHAIN_UNREACHABLE', message: 'stopped' });
});

/** Another process has used these nonces of the gas key just before. */
function sharedKey(used: readonly bigint[]) {
  const isUsed = (nonce: bigint | undefined) => nonce !== undefined && used.includes(nonce);
  const node = scriptedNode({
    eth_getTransactionCount: () => hex(5n + BigInt(new Set(node.raws).size)),
    eth_sendRawTransaction: (params) => {
      if (isUsed(decoded(params[0] as Hex).raw.nonce)) throw unreachable('nonce too low');
      return '0x';
    },
    eth_getTransactionReceipt: (params) => {
      const sent = node.raws.map((raw) => decoded(raw)).find(({ hash }) => `0x${hash.slice(2)}` === params[0]);
      return isUsed(sent?.raw.nonce) ? null : MINED;
    },
  });
  return node;
}

/** A node that mines at once, except where the test says otherwise; time passes only in sleep. */
function scriptedNode(answers: Answers, deps: Partial<TransactionsDeps> = {}) {
  const usual: Answers = {
    eth_estimateGas: () => '0x186a0',
    eth_getBlockByNumber: () => ({ baseFeePerGas: hex(10n * GWEI) }),
    eth_maxPriorityFeePerGas: () => hex(GWEI),
    eth_getTransactionCount: () => '0x5',
    eth_sendRawTransaction: (params) => params[0],
    eth_getTransactionReceipt: () => MINED,
  };
  const raws: Hex[] = [];
  let nowMs = 0;
  const transactions = createTransactions({
    rpc: {
      request: (method, params) => {
        if (method === 'eth_sendRawTransaction') raws.push(params[0] as Hex);
        const answer = answers[method] ?? usual[method];
        if (answer === undefined) throw new Error(`no answer for ${method}`);
        return Promise.resolve().then(() => answer(params));
      },
    },
    chainId: 31_337n,
    gasKey: signerFromSecretKey(KEY),
    maxFeePerGasWei: 100n * GWEI,
    receiptTimeoutMs: 1_000,
    pollMs: 50,
    monotonicMs: () => nowMs,
    sleep: (ms) => {
      nowMs += ms;
      return Promise.resolve();
    },
    ...deps,
  });
  return { transactions, raws, nonces: () => raws.map((raw) => decoded(raw).raw.nonce) };
}

function decoded(raw: Hex | undefined) {
  if (raw === undefined) throw new ChainError('CHAIN_UNREACHABLE', 'nothing was sent');
  return Transaction.fromHex(raw);
}

function hex(value: bigint): Hex {
  return `0x${value.toString(16)}`;
}
