/**
 * What is hashed of receipts, over words that stay in place from one to the next: one is signed for every proof that comes
 * alone, and protocol/verdict.ts and protocol/batch-receipt.ts, which say what it is, take three times as long
 * (test/fleet/receipt-hashes.test.ts holds them against each other).
 */
import type { Address } from '../protocol/address.ts';
import type { ReceiptLine } from '../protocol/batch-receipt.ts';
import { encodeType } from '../protocol/eip712.ts';
import { bytesFromHex, type Hex } from '../protocol/hex.ts';
import { keccak256, keccak256Text } from '../protocol/keccak.ts';
import { merkleLeaf, merkleRoot } from '../protocol/merkle.ts';
import { type RegistryDeployment, registrySeparator } from '../protocol/traffic-proof.ts';
import { PROOF_RECEIPT, VERDICTS } from '../protocol/verdict.ts';
import { TypedHash } from './typed-hash.ts';

const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;
const LINE_WORDS = 3;

/** Of one collector in one deployment. */
export class ReceiptHasher {
  readonly #typed: TypedHash;
  /** Type, collector, proof, verdict, time. */
  readonly #receipt: Buffer;
  readonly #line = Buffer.alloc(LINE_WORDS * WORD_BYTES);

  constructor(deployment: RegistryDeployment, collector: Address) {
    this.#typed = new TypedHash(registrySeparator(deployment));
    this.#receipt = Buffer.alloc((1 + PROOF_RECEIPT.fields.length) * WORD_BYTES);
    this.#receipt.set(keccak256Text(encodeType(PROOF_RECEIPT)));
    this.#receipt.set(bytesFromHex(collector), 2 * WORD_BYTES - ADDRESS_BYTES);
  }

  /** proofReceiptDigest */
  digest(line: ReceiptLine): Uint8Array {
    writeLine(line, this.#receipt, 2 * WORD_BYTES);
    return this.#typed.of(keccak256(this.#receipt));
  }

  /** receiptRoot */
  root(lines: readonly ReceiptLine[]): Hex {
    return merkleRoot(
      lines.map((line) => {
        writeLine(line, this.#line, 0);
        return merkleLeaf(this.#line);
      }),
    );
  }
}

/** Three words, of which the bytes before a number stay zero. `proof`, as the collector made it, is hex of 32 bytes. */
function writeLine({ proof, verdict, receivedS }: ReceiptLine, words: Buffer, at: number): void {
  words.write(proof.slice(2), at, WORD_BYTES, 'hex');
  words[at + 2 * WORD_BYTES - 1] = VERDICTS.indexOf(verdict);
  words.writeBigUInt64BE(receivedS, at + 3 * WORD_BYTES - 8);
}
