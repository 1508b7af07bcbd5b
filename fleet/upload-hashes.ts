/**
 * What is hashed of an upload, taken from the bytes as they came: in deterministic CBOR the items of proof, leaf, voucher and
 * config stand in the order of their EIP-712 types, and each is a word of the encoding without its leading zeros. Hashing the
 * decoded values again takes four times as long. Says only that everything fits; why something does not is for judge-proof.ts
 * to find, over the decoded values (test/fleet/upload-hashes.test.ts holds the two against each other).
 *
 * @see EIP-712, "Definition of encodeData"; RFC 8949 section 3.1
 */
import { CHANNEL_CONFIG, channelsSeparator } from '../protocol/channel.ts';
import { domainSeparator, encodeType, type StructType } from '../protocol/eip712.ts';
import { keccak256, keccak256Text } from '../protocol/keccak.ts';
import { merkleLeaf } from '../protocol/merkle.ts';
import { registryDomain, sessionsRoot, TRAFFIC_PROOF } from '../protocol/traffic-proof.ts';
import type { ProofUpload, ProofVoucher } from '../protocol/traffic-proof-wire.ts';
import { VOUCHER } from '../protocol/voucher.ts';
import { hexOf } from './hex-of.ts';
import type { CollectorDeployment, Recover } from './judge-proof.ts';
import { KnownConfigs } from './known-configs.ts';
import { TypedHash } from './typed-hash.ts';
import { PROOF_AT } from './upload-reader.ts';

const WORD_BYTES = 32;
const LEAF_WORDS = 6;
/** "leaves" and "vouchers", each behind its head. */
const LEAVES_KEY_BYTES = 7;
const VOUCHERS_KEY_BYTES = 9;

/** Where an item's payload is, and where the next item begins. */
type Item = { start: number; end: number };

/** Hashes the uploads of one deployment; `bytes` everywhere as upload-reader.ts has read them. */
export class UploadHasher {
  readonly #registry: TypedHash;
  readonly #channels: TypedHash;
  readonly #proof = new StructWords(TRAFFIC_PROOF);
  readonly #voucher = new StructWords(VOUCHER);
  readonly #config = new StructWords(CHANNEL_CONFIG);
  readonly #leaf = new Uint8Array(LEAF_WORDS * WORD_BYTES);
  /** For the reader too. */
  readonly configs = new KnownConfigs();

  constructor(deployment: CollectorDeployment) {
    this.#registry = new TypedHash(domainSeparator(registryDomain(deployment)));
    this.#channels = new TypedHash(channelsSeparator(deployment));
  }

  /** What the device has signed: trafficProofDigest of the upload's proof. */
  digest(bytes: Uint8Array): Uint8Array {
    return this.#registry.of(this.#proof.hash(bytes, PROOF_AT));
  }

  /**
   * True if leaves and vouchers are what judgeEvidence finds nothing wrong with. False: it has to be asked; it may still find
   * nothing, where leaves and vouchers are in different orders.
   */
  isSound(bytes: Uint8Array, upload: ProofUpload, recover: Recover): boolean {
    const { proof, leaves, vouchers } = upload;
    if (vouchers.length !== leaves.length || !areSums(upload) || !areDistinct(upload)) return false;
    let at = afterItems(bytes, PROOF_AT, this.#proof.fields + 1) + LEAVES_KEY_BYTES;
    at = itemAt(bytes, at).start;
    let root = '';
    const digestsAt: number[] = [];
    for (let i = 0; i < leaves.length; i++) {
      at = copyWords(bytes, at + 1, this.#leaf, 0, LEAF_WORDS);
      digestsAt.push(at - WORD_BYTES);
      if (leaves.length === 1) root = hexOf(merkleLeaf(this.#leaf));
    }
    if ((leaves.length === 1 ? root : sessionsRoot(leaves)) !== proof.sessionsRoot) return false;
    at = itemAt(bytes, at + VOUCHERS_KEY_BYTES).start;
    for (const [i, voucher] of vouchers.entries()) {
      const { channelId, signature, config } = voucher;
      if (channelId !== leaves[i]?.channelId || config.device !== proof.device) return false;
      const idAt = itemAt(bytes, at + 1).start;
      const digest = this.#channels.of(this.#voucher.hash(bytes, at + 1));
      if (!isAt(digest, bytes, digestsAt[i] as number)) return false;
      // Behind the signature, and the head of the config.
      const configAt = afterItems(bytes, at + 1, this.#voucher.fields + 1) + 1;
      const end = this.#configEnd(bytes, configAt, idAt, voucher);
      if (end === undefined) return false;
      if (recover(digest, signature, config.signer) !== config.signer) return false;
      at = end;
    }
    return true;
  }

  /** Where the config ends, if the channel's id is its hash. */
  #configEnd(bytes: Uint8Array, at: number, idAt: number, { channelId: id, config }: ProofVoucher): number | undefined {
    const known = this.configs.get(id);
    // The reader has seen that it is the same.
    if (known !== undefined && known.config === config) return at + known.bytes.length;
    if (!isAt(this.#channels.of(this.#config.hash(bytes, at)), bytes, idAt)) return undefined;
    const end = afterItems(bytes, at, this.#config.fields);
    this.configs.put(id, { bytes: Buffer.from(Uint8Array.from(bytes.subarray(at, end)).buffer), config });
    return end;
  }
}

/** typeHash and words of a struct, one at a time. */
class StructWords {
  readonly fields: number;
  readonly #words: Uint8Array;

  constructor(type: StructType) {
    this.fields = type.fields.length;
    this.#words = new Uint8Array(WORD_BYTES * (1 + this.fields));
    this.#words.set(keccak256Text(encodeType(type)));
  }

  hash(bytes: Uint8Array, at: number): Uint8Array {
    copyWords(bytes, at, this.#words, WORD_BYTES, this.fields);
    return keccak256(this.#words);
  }
}

/** Puts items as words, each with zeros before it. @returns where the items end */
function copyWords(bytes: Uint8Array, at: number, words: Uint8Array, wordsAt: number, count: number): number {
  let from = at;
  let to = wordsAt;
  for (let i = 0; i < count; i++) {
    const { start, end } = itemAt(bytes, from);
    const next = to + WORD_BYTES;
    for (const first = next - (end - start); to < first; to++) words[to] = 0;
    for (let k = start; to < next; to++, k++) words[to] = bytes[k] as number;
    // A number below 24 is in its head.
    if (end - start === 1 && start === from) words[next - 1] = (bytes[from] as number) & 0x1f;
    from = end;
  }
  return from;
}

const item: Item = { start: 0, end: 0 };

/** The number, bytes or head of an array at `at`; the same object each time. */
function itemAt(bytes: Uint8Array, at: number): Item {
  const first = bytes[at] as number;
  const short = first & 0x1f;
  const size = short < 24 ? 0 : 1 << (short - 24);
  if (first >> 5 === 2) {
    item.start = at + 1 + size;
    item.end = item.start + (size === 0 ? short : (bytes[at + 1] as number));
  } else if (first >> 5 === 4) {
    item.start = item.end = at + 1 + size;
  } else {
    item.start = size === 0 ? at : at + 1;
    item.end = at + 1 + size;
  }
  return item;
}

function afterItems(bytes: Uint8Array, at: number, count: number): number {
  let end = at;
  for (let i = 0; i < count; i++) end = itemAt(bytes, end).end;
  return end;
}

function isAt(hash: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < hash.length; i++) if (hash[i] !== bytes[at + i]) return false;
  return true;
}

function areSums({ proof, leaves }: ProofUpload): boolean {
  let [up, down, paid] = [0n, 0n, 0n];
  for (const leaf of leaves) {
    up += leaf.bytesUp;
    down += leaf.bytesDown;
    paid += leaf.paid;
  }
  return up === proof.bytesUp && down === proof.bytesDown && paid === proof.paid;
}

function areDistinct({ leaves }: ProofUpload): boolean {
  return leaves.length < 2 || new Set(leaves.map(({ channelId }) => channelId)).size === leaves.length;
}
