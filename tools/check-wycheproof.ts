/**
 * Runs Wycheproof's ECDSA cases for secp256k1 through every signature backend of this machine: do they agree with each other
 * and with Wycheproof? The cases are Google's and C2SP's and are not part of this repository.
 *
 * Run: node tools/check-wycheproof.ts FOLDER, where FOLDER is testvectors_v1 of github.com/C2SP/wycheproof.
 *
 * A voucher's signature is r, s and the parity of R.y (EIP-2098), so a case counts as accepted if one of the two parities
 * recovers its key. Cases of the DER encoding alone, and r or s of more than 32 bytes, have no such form. A high s stands for
 * its low twin. A valid signature whose R.x is not below the order has no form either (ecrecover has no recovery id 2 or 3):
 * those are counted apart.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { keccak256 } from '../protocol/keccak.ts';
import { type Backend, recoverAddress } from '../verifier/backend.ts';
import { BACKEND_NAMES, loadBackend } from '../verifier/backends.ts';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const FILE = /^ecdsa_secp256k1_(sha256|sha512|sha3_256|sha3_512)(_bitcoin)?(_p1363)?_test\.json$/;
const fileSchema = v.object({
  testGroups: v.array(
    v.object({
      publicKey: v.object({ uncompressed: v.string() }),
      tests: v.array(
        v.object({ tcId: v.number(), comment: v.string(), msg: v.string(), sig: v.string(), result: v.string() }),
      ),
    }),
  ),
});

type Count = { cases: number; withoutForm: number; accepted: number; refused: number; largeX: number; wrong: string[] };

if (import.meta.main) await main(process.argv[2]);

async function main(folder: string | undefined): Promise<void> {
  if (folder === undefined) throw new Error('Usage: node tools/check-wycheproof.ts FOLDER');
  const loaded = await Promise.all(BACKEND_NAMES.map((name) => loadBackend(name, import.meta.url)));
  const backends = loaded.flatMap((one) => (one.ok ? [one.backend] : []));
  const count: Count = { cases: 0, withoutForm: 0, accepted: 0, refused: 0, largeX: 0, wrong: [] };
  for (const name of readdirSync(folder).sort()) {
    const match = FILE.exec(name);
    if (match !== null) checkFile(backends, folder, name, (match[1] as string).replace('_', '-'), count);
  }
  const { wrong, ...figures } = count;
  console.log(JSON.stringify({ backends: backends.map(({ name }) => name), ...figures, wrong: wrong.length }));
  for (const line of wrong) console.log(line);
  process.exitCode = count.cases > 0 && wrong.length === 0 ? 0 : 1;
}

function checkFile(backends: readonly Backend[], folder: string, name: string, hash: string, count: Count): void {
  const { testGroups } = v.parse(fileSchema, JSON.parse(readFileSync(join(folder, name), 'utf8')));
  for (const { publicKey, tests } of testGroups) {
    const key = Buffer.from(publicKey.uncompressed, 'hex');
    const address = Buffer.from(keccak256(key.subarray(1)).subarray(12)).toString('hex');
    for (const { tcId, comment, msg, sig, result } of tests) {
      count.cases += 1;
      const bytes = Buffer.from(sig, 'hex');
      const pair = name.includes('p1363') ? pairFromP1363(bytes) : pairFromDer(bytes);
      const lowS = pair === undefined || pair.s < 1n << 255n ? pair?.s : ORDER - pair.s;
      if (pair === undefined || lowS === undefined || lowS < 0n) {
        count.withoutForm += 1;
        continue;
      }
      // ECDSA takes the leftmost 256 bits of a longer hash.
      const digest = createHash(hash).update(Buffer.from(msg, 'hex')).digest().subarray(0, 32);
      const answers = [0n, 1n].map((parity) => answersOf(backends, digest, pair.r, lowS, parity));
      const isAccepted = answers.some(([first]) => first === address);
      // Bitcoin's files call a signature invalid for its high s alone; here its low twin is asked.
      const isValid = result === 'valid' || (name.includes('bitcoin') && pair.s > ORDER >> 1n && isAccepted);
      if (answers.some((all) => new Set(all).size > 1))
        count.wrong.push(`${name} ${tcId}: ${comment}: backends differ`);
      else if (isAccepted && isValid) count.accepted += 1;
      else if (!isAccepted && !isValid) count.refused += 1;
      else if (isValid && /large x-coordinate|x = n \+/.test(comment)) count.largeX += 1;
      else count.wrong.push(`${name} ${tcId}: ${comment}: ${result}, but ${isAccepted ? 'accepted' : 'refused'}`);
    }
  }
}

function answersOf(backends: readonly Backend[], digest: Uint8Array, r: bigint, s: bigint, parity: bigint): string[] {
  const compact = Buffer.from(hex32(r) + hex32((parity << 255n) | s), 'hex');
  return backends.map((backend) => {
    const address = recoverAddress(backend, digest, compact);
    return address === undefined ? 'nobody' : Buffer.from(address).toString('hex');
  });
}

function pairFromP1363(bytes: Buffer): { r: bigint; s: bigint } | undefined {
  if (bytes.length !== 64) return undefined;
  return { r: uintOf(bytes.subarray(0, 32)), s: uintOf(bytes.subarray(32)) };
}

/** Strict DER: SEQUENCE of two INTEGERs, each positive, minimal and of at most 32 bytes. */
function pairFromDer(bytes: Buffer): { r: bigint; s: bigint } | undefined {
  if (bytes.length < 8 || bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2) return undefined;
  const r = integerAt(bytes, 2);
  const s = r === undefined ? undefined : integerAt(bytes, r.end);
  return r === undefined || s === undefined || s.end !== bytes.length ? undefined : { r: r.value, s: s.value };
}

function integerAt(bytes: Buffer, at: number): { value: bigint; end: number } | undefined {
  const length = bytes[at + 1] ?? 0;
  const content = bytes.subarray(at + 2, at + 2 + length);
  const [first = 0x80, second = 0] = content;
  const isPadded = content.length > 1 && first === 0 && second < 0x80;
  if (bytes[at] !== 2 || content.length !== length || first >= 0x80 || isPadded) return undefined;
  const value = uintOf(content);
  return value < 1n << 256n ? { value, end: at + 2 + length } : undefined;
}

function uintOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function hex32(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}
