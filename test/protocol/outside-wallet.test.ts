import t from 'tap';
import { approveLink, coinLink, pullCalls, transferLink } from '../../protocol/outside-wallet.ts';
import { openArgs } from '../support/channel-scene.ts';

const TOKEN = `0x${'70'.repeat(20)}` as const;
const CHANNELS = `0x${'c4'.repeat(20)}` as const;
const PAYER = `0x${'a1'.repeat(20)}` as const;

t.test('links for a wallet on another phone are as EIP-681 has them', (t) => {
  t.equal(transferLink(1n, TOKEN, PAYER, 50_000n), `ethereum:${TOKEN}@1/transfer?address=${PAYER}&uint256=50000`);
  t.equal(approveLink(1n, TOKEN, CHANNELS, 7n), `ethereum:${TOKEN}@1/approve?address=${CHANNELS}&uint256=7`);
  t.equal(coinLink(31_337n, PAYER), `ethereum:${PAYER}@31337`);
  t.end();
});

t.test('approve and open are encoded as the contract has them', (t) => {
  const config = {
    payer: PAYER,
    signer: `0x${'a2'.repeat(20)}` as const,
    payee: `0x${'a3'.repeat(20)}` as const,
    device: `0x${'a4'.repeat(20)}` as const,
    expiry: 1_900_000_000n,
    exitDelay: 3_600n,
    salt: `0x${'5a'.repeat(32)}` as const,
  };
  const [approve, open] = pullCalls({ channels: CHANNELS, token: TOKEN }, config, 500n);
  t.equal(approve.to, TOKEN);
  // ERC-20: approve(address,uint256) is 0x095ea7b3.
  t.equal(approve.data, `0x095ea7b3${'00'.repeat(12)}${'c4'.repeat(20)}${500n.toString(16).padStart(64, '0')}`);
  t.equal(open.to, CHANNELS);
  t.equal(open.data, `0x${Buffer.from(openArgs(config, 500n)).toString('hex')}`, 'as the ABI encoder has it');
  t.end();
});
