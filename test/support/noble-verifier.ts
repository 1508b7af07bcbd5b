/** A verifier without a thread: deterministic, and failing on demand. */
import type { SignatureClaim, Verifier } from '../../agent/ports.ts';
import { messageDigest } from '../../protocol/eip712.ts';
import { recoverSigner } from '../../protocol/signature.ts';

export class NobleVerifier implements Verifier {
  readonly choice = undefined;
  /** Calls fail with it while it is set. */
  failure: Error | undefined;
  /** Runs before each answer: what happens while the signature is being checked. */
  meanwhile: (() => void) | undefined;

  async recover(claims: readonly SignatureClaim[]): ReturnType<Verifier['recover']> {
    await Promise.resolve();
    this.meanwhile?.();
    if (this.failure !== undefined) throw this.failure;
    return claims.map((claim) =>
      recoverSigner('digest' in claim ? claim.digest : messageDigest(claim.message), claim.signature),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
