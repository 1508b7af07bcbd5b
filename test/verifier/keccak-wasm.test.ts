import fc from 'fast-check';
import t from 'tap';
import { keccak256 } from '../../protocol/keccak.ts';
import { useWasmKeccak, wasmKeccak256 } from '../../verifier/keccak-wasm.ts';

t.test('WebAssembly answers what noble answers', (t) => {
  const keccak = wasmKeccak256();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      t.same(keccak(bytes), keccak256(bytes));
    }),
    { numRuns: 60 },
  );
  for (let length = 130; length < 140; length++) {
    const bytes = new Uint8Array(length).fill(0xff);
    t.same(keccak(bytes), keccak256(bytes), `${length} bytes, around the rate`);
  }
  const page = 479 * 136;
  for (const length of [page - 1, page, page + 1, 2 * page + 77]) {
    const bytes = new Uint8Array(length).map((_, i) => i % 251);
    t.same(keccak(bytes), keccak256(bytes), `${length} bytes, more than go into the module at once`);
  }
  t.end();
});

t.test('answers do not share memory', (t) => {
  useWasmKeccak();
  const first = keccak256(new Uint8Array([1]));
  const copy = first.slice();
  keccak256(new Uint8Array([2]));
  t.same(first, copy);
  t.end();
});
