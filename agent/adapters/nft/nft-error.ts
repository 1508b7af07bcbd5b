/** The packet filter refused, died or did not answer. */

export type NftErrorCode =
  /** The kernel or nft refused the transaction; nothing of it was applied. */
  | 'NFT_REFUSED'
  /** nft cannot be run. */
  | 'NFT_MISSING'
  /** nft ended or was silent in the middle; whether the transaction was applied is unknown. */
  | 'NFT_NO_ANSWER'
  /** nft answered something that this adapter does not understand. */
  | 'NFT_BAD_ANSWER'
  /** The enforcer was closed. */
  | 'NFT_CLOSED';

export class NftError extends Error {
  override readonly name = 'NftError';
  readonly code: NftErrorCode;
  /** All that nft wrote. */
  readonly stderr: string;

  constructor(
    message: string,
    details: { readonly code: NftErrorCode; readonly stderr?: string; readonly cause?: unknown },
  ) {
    const { code, stderr = '', cause } = details;
    super(stderr === '' ? message : `${message}: ${firstLine(stderr)}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.stderr = stderr;
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
