import t from 'tap';
import type { Backend } from '../../verifier/backend.ts';
import { loadBackend } from '../../verifier/backends.ts';
import { chooseBackend, examineBackend, wrongCase } from '../../verifier/self-test.ts';

async function noble(): Promise<Backend> {
  const loaded = await loadBackend('noble', import.meta.url);
  if (!loaded.ok) throw new Error(loaded.why);
  return loaded.backend;
}

t.test('each of the backends here passes, and is measured', async (t) => {
  for (const name of ['noble', 'wasm'] as const) {
    const { fact } = await examineBackend(name, import.meta.url);
    t.match(fact, { name, ok: true });
    t.ok(fact.ok && fact.ratePerS > 1, `${name} ${JSON.stringify(fact)}`);
  }
});

t.test('a compiled library is chosen over noble, which then is not measured', async (t) => {
  const { backend, facts } = await chooseBackend(import.meta.url);
  t.not(backend.name, 'noble');
  t.notOk(facts.some(({ name }) => name === 'noble'));
});

t.test('a backend that accepts what nobody signed, or recovers another key, is found out', async (t) => {
  const right = await noble();
  const somebody = new Uint8Array(65).fill(4);
  t.equal(wrongCase(right), undefined);
  t.equal(wrongCase({ ...right, recoverPublicKey: () => somebody }), 'EIP-2098, even');
  t.equal(wrongCase({ ...right, recoverPublicKey: () => undefined }), 'EIP-2098, even');
  const deafToParity: Backend = { ...right, recoverPublicKey: (digest, rs) => right.recoverPublicKey(digest, rs, 0) };
  t.equal(wrongCase(deafToParity), 'EIP-2098, odd');
  const careless: Backend = {
    ...right,
    recoverPublicKey(digest, rs, parity) {
      try {
        return right.recoverPublicKey(digest, rs, parity);
      } catch {
        return somebody;
      }
    },
  };
  t.equal(wrongCase(careless), 'infinity');
});
