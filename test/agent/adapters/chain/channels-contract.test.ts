import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  balanceFromResult,
  balanceQuery,
  CLOSED_TOPIC,
  channelFromResult,
  channelQuery,
  isUsedFromResult,
  OPENED_TOPIC,
  openData,
  reasonFromRevert,
  TOPPED_UP_TOPIC,
  tokenFromResult,
} from '../../../../agent/adapters/chain/channels-contract.ts';
import type { ChannelConfig } from '../../../../protocol/channel.ts';
import type { Hex } from '../../../../protocol/hex.ts';

const WORD = '00'.repeat(31);
const ADDRESS: Hex = `0x${'ab'.repeat(20)}`;

t.test('the ABI that is bundled is that of the committed artifact', async (t) => {
  const modules = { ShareChannels: 'share-channels', SspToken: 'ssp-token', LegacySspToken: 'legacy-ssp-token' };
  for (const [name, abiModule] of Object.entries(modules)) {
    const path = new URL(`../../../../contracts/artifacts/${name}.json`, import.meta.url);
    const artifact = JSON.parse(readFileSync(path, 'utf8')) as { abi: unknown };
    const bundled = (await import(`../../../../contracts/abi/${abiModule}.ts`)) as Record<string, unknown>;
    t.strictSame(Object.values(bundled), [artifact.abi], name);
  }
});

t.test('calls begin with the selectors that Ethereum knows', (t) => {
  t.equal(balanceQuery(ADDRESS), `0x70a08231${'00'.repeat(12)}${'ab'.repeat(20)}`);
  t.equal(channelQuery(`0x${'12'.repeat(32)}`).length, 2 + 2 * 36);
  t.end();
});

t.test('openWithAuthorization is its fields in the order of the contract, one word each', (t) => {
  const config: ChannelConfig = {
    payer: `0x${'01'.repeat(20)}`,
    signer: `0x${'02'.repeat(20)}`,
    payee: `0x${'03'.repeat(20)}`,
    device: `0x${'04'.repeat(20)}`,
    expiry: 5n,
    exitDelay: 6n,
    salt: `0x${'07'.repeat(32)}`,
  };
  const authorization = {
    from: config.payer,
    to: ADDRESS,
    value: 8n,
    validAfter: 9n,
    validBefore: 10n,
    nonce: `0x${'00'.repeat(32)}`,
    signature: `0x${'0c'.repeat(32)}${'8d'.repeat(32)}`,
  } as const;
  const address = (byte: string) => `${'00'.repeat(12)}${byte.repeat(20)}`;
  const words = [
    ...['01', '02', '03', '04'].map(address),
    ...['05', '06'].map((byte) => WORD + byte),
    '07'.repeat(32),
    ...['08', '09', '0a', '0b'].map((byte) => WORD + byte),
    '0c'.repeat(32),
    '8d'.repeat(32),
  ];
  t.equal(openData(config, authorization, 11n).slice(10), words.join(''));
  t.end();
});

t.test('results become values', (t) => {
  const channel = `0x${WORD}05${WORD}04${WORD}03${WORD}01` as Hex;
  t.strictSame(channelFromResult(channel), { deposit: 5n, claimed: 4n, exitAt: 3n, isClosed: true });
  t.equal(balanceFromResult(`0x${WORD}07`), 7n);
  t.equal(isUsedFromResult(`0x${WORD}01`), true);
  t.equal(tokenFromResult(`0x${'00'.repeat(12)}${'AB'.repeat(20)}`), ADDRESS, 'in lower case');
  t.end();
});

t.test('a result that does not fit the contract is the fault of the node', (t) => {
  for (const result of ['0x', '0x01', `0x${WORD}02${WORD}`] as Hex[]) {
    t.throws(() => channelFromResult(result), { code: 'CHAIN_UNREACHABLE', message: /does not fit the contract/ });
    t.throws(() => isUsedFromResult(result), { code: 'CHAIN_UNREACHABLE' });
  }
  t.throws(() => channelFromResult(`0x${'ff'.repeat(128)}`), { code: 'CHAIN_UNREACHABLE' }, 'beyond uint64');
  t.end();
});

t.test('the contract says why it refuses, with names and figures', (t) => {
  t.equal(reasonFromRevert(`0x${'1f2a2005'}`), 'ZeroAmount()');
  t.equal(reasonFromRevert(`0xac0a54e0${'22'.repeat(32)}`), undefined, 'unknown errors are left to the node');
  const plain = `0x08c379a0${WORD}20${WORD}02${'6e6f'.padEnd(64, '0')}` as Hex;
  t.match(reasonFromRevert(plain), 'no', "Solidity's own Error(string)");
  t.equal(reasonFromRevert('0x'), undefined);
  t.end();
});

t.test('an error that the node cut off or garbled is none', (t) => {
  const cut = [
    '0x08c379a0',
    `0x08c379a0${WORD}`,
    `0x08c379a0${WORD}20${'ff'.repeat(32)}`,
    '0x4e487b71',
    '0x1f',
  ] as const;
  for (const data of cut) t.equal(reasonFromRevert(data), undefined, data);
  t.end();
});

t.test('events are found by the hash of their signature', (t) => {
  for (const topic of [OPENED_TOPIC, TOPPED_UP_TOPIC, CLOSED_TOPIC]) t.match(topic, /^0x[0-9a-f]{64}$/);
  t.equal(new Set([OPENED_TOPIC, TOPPED_UP_TOPIC, CLOSED_TOPIC]).size, 3);
  t.end();
});
