import { keccak_256 } from '@noble/hashes/sha3.js';
import t from 'tap';
import { hexFromBytes } from '../../protocol/hex.ts';
import { keccak256, keccak256Hex, keccak256Text, useKeccak256 } from '../../protocol/keccak.ts';

// From the Ethereum yellow paper (KEC of nothing) and the test suite of the Keccak team.
const NOTHING = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
const ABC = '0x4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45';

t.test('the hash is the keccak of Ethereum, not SHA3-256', (t) => {
  t.equal(keccak256Hex(new Uint8Array()), NOTHING);
  t.equal(hexFromBytes(keccak256(new TextEncoder().encode('abc'))), ABC);
  t.equal(hexFromBytes(keccak256Text('abc')), ABC);
  t.end();
});

t.test('text is hashed as UTF-8', (t) => {
  t.same(keccak256Text('ż'), keccak256(new Uint8Array([0xc5, 0xbc])));
  t.end();
});

t.test('a faster implementation is used once it answers rightly, and never if it does not', (t) => {
  t.teardown(() => useKeccak256());
  const wrong = () => new Uint8Array(32);
  t.throws(() => useKeccak256(wrong), new RangeError('this implementation of keccak256 is wrong for 0 bytes'));
  t.equal(keccak256Hex(new Uint8Array()), NOTHING);
  let calls = 0;
  useKeccak256((bytes) => {
    calls += 1;
    return keccak_256(bytes);
  });
  calls = 0;
  t.equal(keccak256Hex(new Uint8Array()), NOTHING);
  t.equal(hexFromBytes(keccak256Text('abc')), ABC);
  t.equal(calls, 2);
  t.end();
});
