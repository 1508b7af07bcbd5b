/** The collector's answers in JSON, signed. */
import { batchReceiptDigest } from '../protocol/batch-receipt.ts';
import { type ReceiptJson, receiptJsonFromReceipt } from '../protocol/receipt-wire.ts';
import { signDigest } from '../protocol/signature.ts';
import type { RegistryDeployment } from '../protocol/traffic-proof.ts';
import type { CollectorKey } from './collector-key.ts';
import type { MissingRange } from './fleet-store.ts';
import type { IntakeResult, Refused, Taken } from './proof-intake.ts';
import { ReceiptHasher } from './receipt-hashes.ts';
import type { Sign } from './signatures.ts';

export type ReceiptDeps = {
  readonly deployment: RegistryDeployment;
  readonly collector: CollectorKey;
  /** Default: noble, which is always there and slow. */
  readonly sign?: Sign;
};

const hashers = new WeakMap<ReceiptDeps, ReceiptHasher>();

function hasherOf(deps: ReceiptDeps): ReceiptHasher {
  const known = hashers.get(deps);
  if (known !== undefined) return known;
  const hasher = new ReceiptHasher(deps.deployment, deps.collector.address);
  hashers.set(deps, hasher);
  return hasher;
}

/** The receipt of one proof; RFC 6979 makes it the same bytes however often it is asked for. */
export function receiptJson({ digest, verdict, receivedS }: Taken, deps: ReceiptDeps): ReceiptJson {
  const { collector, sign = signDigest } = deps;
  const line = { proof: digest, verdict, receivedS };
  const signature = sign(hasherOf(deps).digest(line), collector.secretKey);
  return receiptJsonFromReceipt({ collector: collector.address, ...line, signature });
}

/** One line for each upload, in their order; the signed root is over the lines that have a proof. */
export function batchReceiptJson(results: readonly IntakeResult[], deps: ReceiptDeps): object {
  const { deployment, collector, sign = signDigest } = deps;
  const taken = results.filter((result) => result.ok);
  const lines = taken.map(({ digest, verdict, receivedS }) => ({ proof: digest, verdict, receivedS }));
  const root = hasherOf(deps).root(lines);
  const receipt = { collector: collector.address, root, count: BigInt(taken.length) };
  return {
    v: 1,
    collector: collector.address,
    root,
    count: taken.length,
    sig: sign(batchReceiptDigest(deployment, receipt), collector.secretKey),
    proofs: results.map((result) => (result.ok ? lineJson(result) : { error: refusalJson(result) })),
  };
}

function lineJson({ digest, verdict, receivedS, missing }: Taken): object {
  const line = { proof: digest, verdict, receivedS: receivedS.toString() };
  return missing.length === 0 ? line : { ...line, missing: missingText(missing) };
}

/** "3-5,9": numbers of proofs that the router should send. */
export function missingText(missing: readonly MissingRange[]): string {
  return missing.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

export function refusalJson(refusal: Refused): { readonly code: string; readonly message: string } {
  switch (refusal.reason) {
    case 'malformed': {
      const { path, expected, got } = refusal;
      return { code: 'malformed', message: `${path || 'upload'}: expected ${expected}, got ${got}` };
    }
    case 'too-many':
      return { code: 'too-many', message: 'Too many uploads from there.' };
    case 'elsewhere':
      return { code: 'elsewhere', message: `Shard ${refusal.shard} keeps the chain of this device.` };
    case 'busy':
      return { code: 'busy', message: 'Too many uploads wait.' };
    case 'failed':
      return { code: 'storage-failed', message: 'The collector cannot store uploads until it is restarted.' };
    default:
      return refusal satisfies never;
  }
}
