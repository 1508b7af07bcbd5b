/** What keeps a signature from being checked. None of these says anything about the signature: ask again. */

export type VerifierErrorCode =
  /** More signatures wait than MAX_WAITING_CLAIMS. */
  | 'VERIFIER_BUSY'
  /** The thread died or hung while it had the signature; the next call starts another. */
  | 'VERIFIER_FAILED'
  /** No backend answers its known cases rightly on this machine. */
  | 'VERIFIER_UNFIT'
  | 'VERIFIER_CLOSED';

export class VerifierError extends Error {
  readonly code: VerifierErrorCode;

  constructor(code: VerifierErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'VerifierError';
    this.code = code;
  }
}
