/**
 * Which backend may verify here: it must answer the known cases right, then the fastest wins. A compiled library that is
 * wrong on this processor, or a fallback posing as one, is found before it decides about money.
 */
import { type Backend, type BackendName, recoverAddress } from './backend.ts';
import { BACKEND_NAMES, loadBackend } from './backends.ts';

export type BackendFact =
  | { readonly name: BackendName; readonly ok: true; readonly ratePerS: number }
  | { readonly name: BackendName; readonly ok: false; readonly why: string };

export type Choice = { readonly backend: Backend; readonly facts: readonly BackendFact[] };

type KnownCase = {
  readonly what: string;
  readonly digest: string;
  readonly signature: string;
  readonly signer?: string;
};

const G_X = '79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
const ONE = '1'.padStart(64, '0');
const ZERO = '0'.repeat(64);

/** The two cases of EIP-2098, and what nobody can have signed. */
const KNOWN_CASES: readonly KnownCase[] = [
  {
    what: 'EIP-2098, even',
    digest: 'a1de988600a42c4b4ab089b619297c17d53cffae5d5120d82d8a92d0bb3b78f2',
    signature:
      '68a020a209d3d56c46f38cc50a33f704f4a9a10a59377f8dd762ac66910e9b907e865ad05c4035ab5792787d4a0297a43617ae897930a6fe4d822b8faea52064',
    signer: '2e988a386a799f506693793c6a5af6b54dfaabfb',
  },
  {
    what: 'EIP-2098, odd',
    digest: 'ac33ec93c768b669bdb542a85baebaf7342d35fc9ad8fc0bbc1b852c6f8bf021',
    signature:
      '9328da16089fcba9bececa81663203989f2df5fe1faa6291a45381c81bd17f76939c6d6b623b42da56557e5e734a43dc83345ddfadec52cbe24d0cc64f550793',
    signer: '2e988a386a799f506693793c6a5af6b54dfaabfb',
  },
  // s R = e G, so the key would be the point at infinity.
  { what: 'infinity', digest: ONE, signature: G_X + ONE },
  { what: 'r without a point', digest: ONE, signature: '5'.padStart(64, '0') + ONE },
  { what: 'r is zero', digest: ONE, signature: ZERO + ONE },
  { what: 's is zero', digest: ONE, signature: G_X + ZERO },
  { what: 'r is the order', digest: ONE, signature: ORDER + ONE },
];
/** Some hundred recoveries of a fast backend, one of a slow one: enough to tell them apart, and no guest waits longer. */
const MEASURE_MS = 10;

/**
 * The fastest of the compiled backends, or noble if none of them passes: measuring noble too would make a router's first
 * guest wait for half a second. @throws if not even noble passes: this machine computes wrongly.
 */
export async function chooseBackend(modulesUrl: string): Promise<Choice> {
  const facts: BackendFact[] = [];
  let best: { readonly backend: Backend; readonly ratePerS: number } | undefined;
  for (const name of BACKEND_NAMES) {
    if (name === 'noble' && best !== undefined) break;
    const examined = await examineBackend(name, modulesUrl);
    facts.push(examined.fact);
    if (examined.fact.ok && examined.backend !== undefined && examined.fact.ratePerS > (best?.ratePerS ?? 0)) {
      best = { backend: examined.backend, ratePerS: examined.fact.ratePerS };
    }
  }
  if (best !== undefined) return { backend: best.backend, facts };
  throw new Error(`no signature backend passes its self-test: ${facts.map(factText).join('; ')}`);
}

/** Loads, checks and measures one backend. */
export async function examineBackend(
  name: BackendName,
  modulesUrl: string,
): Promise<{ readonly fact: BackendFact; readonly backend?: Backend }> {
  const loaded = await loadBackend(name, modulesUrl);
  if (!loaded.ok) return { fact: loaded };
  const { backend } = loaded;
  const wrong = wrongCase(backend);
  if (wrong !== undefined) return { fact: { name, ok: false, why: `answers "${wrong}" wrongly` } };
  return { fact: { name, ok: true, ratePerS: ratePerS(backend) }, backend };
}

/** Name of the first known case that the backend answers wrongly, or undefined. */
export function wrongCase(backend: Backend): string | undefined {
  return KNOWN_CASES.find(({ digest, signature, signer }) => {
    const got = recoverAddress(backend, Buffer.from(digest, 'hex'), Buffer.from(signature, 'hex'));
    return (got === undefined ? undefined : Buffer.from(got).toString('hex')) !== signer;
  })?.what;
}

function ratePerS(backend: Backend): number {
  const { digest, signature } = KNOWN_CASES[0] as KnownCase;
  const [digestBytes, signatureBytes] = [Buffer.from(digest, 'hex'), Buffer.from(signature, 'hex')];
  // Processor time: on a busy router a thread that had to wait would make the faster library look slow.
  const started = process.threadCpuUsage();
  let recoveries = 0;
  let cpuMs = 0;
  while (cpuMs < MEASURE_MS) {
    recoverAddress(backend, digestBytes, signatureBytes);
    recoveries += 1;
    const { user, system } = process.threadCpuUsage(started);
    cpuMs = (user + system) / 1_000;
  }
  return (recoveries * 1_000) / cpuMs;
}

function factText(fact: BackendFact): string {
  return fact.ok ? `${fact.name} ${Math.round(fact.ratePerS)}/s` : `${fact.name}: ${fact.why}`;
}
