import { signTyped } from 'micro-eth-signer';
import t from 'tap';
import { depositNonce } from '../../protocol/channel.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { PERMIT2_ADDRESS, permit2Digest, permit2Nonce, permitDigest } from '../../protocol/permit.ts';
import { signDigest, splitSignature } from '../../protocol/signature.ts';
import { CHANNELS, testKey } from '../support/protocol-arbitraries.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

const { secretKey, address } = testKey('payer');
const ID = `0x${'01'.repeat(32)}` as const;
const TOKEN = `0x${'02'.repeat(20)}` as const;

t.test('an EIP-2612 permit is signed as another library signs it', (t) => {
  const domain = { name: 'SSP Test Token', version: '1', chainId: 31337n, verifyingContract: TOKEN };
  const permit = { owner: address, spender: CHANNELS.channels, value: 5n, nonce: 0n, deadline: 1_800_000_000n };
  const type = 'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)';
  t.equal(signDigest(permitDigest(domain, permit), secretKey), oracleSignature(domain, type, permit, secretKey));
  t.end();
});

t.test('a Permit2 transfer with its channel is signed as another library signs the nested types', (t) => {
  const permit = {
    token: TOKEN,
    amount: 7n,
    spender: CHANNELS.channels,
    nonce: permit2Nonce(ID, 0n),
    deadline: 1_800_000_000n,
    channelId: ID,
  };
  const typed = {
    domain: { name: 'Permit2', chainId: 31337n, verifyingContract: PERMIT2_ADDRESS },
    primaryType: 'PermitWitnessTransferFrom',
    types: {
      EIP712Domain: [
        { name: 'name', type: 'string' },
        { name: 'chainId', type: 'uint256' },
        { name: 'verifyingContract', type: 'address' },
      ],
      PermitWitnessTransferFrom: [
        { name: 'permitted', type: 'TokenPermissions' },
        { name: 'spender', type: 'address' },
        { name: 'nonce', type: 'uint256' },
        { name: 'deadline', type: 'uint256' },
        { name: 'witness', type: 'ChannelDeposit' },
      ],
      TokenPermissions: [
        { name: 'token', type: 'address' },
        { name: 'amount', type: 'uint256' },
      ],
      ChannelDeposit: [{ name: 'channelId', type: 'bytes32' }],
    },
    message: {
      permitted: { token: TOKEN, amount: 7n },
      spender: permit.spender,
      nonce: permit.nonce,
      deadline: permit.deadline,
      witness: { channelId: ID },
    },
  } as unknown as Parameters<typeof signTyped>[0];
  const { r, s, v } = splitSignature(signDigest(permit2Digest(31337n, permit), secretKey));
  t.equal(`${r}${s.slice(2)}${v.toString(16)}`, signTyped(typed, hexFromBytes(secretKey), false));
  t.notSame(permit2Digest(1n, permit), permit2Digest(31337n, permit));
  t.notSame(permit2Digest(31337n, { ...permit, channelId: depositNonce(ID, 0n) }), permit2Digest(31337n, permit));
  t.end();
});

t.test('each deposit has a nonce of its own, the one it would have under EIP-3009', (t) => {
  t.equal(`0x${permit2Nonce(ID, 1n).toString(16).padStart(64, '0')}`, depositNonce(ID, 1n));
  t.not(permit2Nonce(ID, 0n), permit2Nonce(ID, 1n));
  t.end();
});
