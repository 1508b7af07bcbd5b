import { getPublicKey } from '@noble/secp256k1';
import fc from 'fast-check';
import { addr } from 'micro-eth-signer';
import t from 'tap';
import { addressFromPublicKey, parseAddress, ZERO_ADDRESS } from '../../protocol/address.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import { keccak256Text } from '../../protocol/keccak.ts';

t.test('an address is the one another library derives, from either form of the key', (t) => {
  fc.assert(
    fc.property(fc.string(), (seed) => {
      const secretKey = keccak256Text(seed);
      const expected = addr.fromPrivateKey(hexFromBytes(secretKey)).toLowerCase();
      t.equal(addressFromPublicKey(getPublicKey(secretKey, true)), expected);
      t.equal(addressFromPublicKey(getPublicKey(secretKey, false)), expected);
    }),
    { numRuns: 10 },
  );
  t.end();
});

t.test('the first account of every development chain has its well-known address', (t) => {
  const secretKey = Buffer.from('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80', 'hex');
  t.equal(addressFromPublicKey(getPublicKey(secretKey)), '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  t.end();
});

t.test('an address is read in any case and kept in lower case', (t) => {
  t.equal(parseAddress('0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266'), '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266');
  t.equal(parseAddress(ZERO_ADDRESS), ZERO_ADDRESS);
  t.end();
});

for (const value of [
  '',
  '0x',
  'f39fd6e51aad88f6f4ce6ab8827279cfffb92266',
  `0x${'0'.repeat(39)}g`,
  `0x${'0'.repeat(42)}`,
]) {
  t.test(`"${value}" is no address`, (t) => {
    t.equal(parseAddress(value), undefined);
    t.end();
  });
}

t.test('what is not text is no address', (t) => {
  for (const value of [undefined, null, 0, {}, [ZERO_ADDRESS]]) t.equal(parseAddress(value), undefined);
  t.end();
});

t.test('a point off the curve is no public key', (t) => {
  const noPoint = new Uint8Array(33);
  noPoint.set([2], 0);
  noPoint.set([5], 32);
  t.throws(() => addressFromPublicKey(noPoint));
  t.throws(() => addressFromPublicKey(new Uint8Array(10)));
  t.end();
});
