/** protocol/eip712.ts's typedDigest where one domain has many: its separator is put in place once. */
import { keccak256 } from '../protocol/keccak.ts';

const WORD_BYTES = 32;

/** typedDigest of one domain. */
export class TypedHash {
  readonly #message = new Uint8Array(2 + 2 * WORD_BYTES);

  constructor(separator: Uint8Array) {
    this.#message.set([0x19, 0x01]);
    this.#message.set(separator, 2);
  }

  of(structHash: Uint8Array): Uint8Array {
    this.#message.set(structHash, 2 + WORD_BYTES);
    return keccak256(this.#message);
  }
}
