/** A collector in memory, on the other end of a scene's uploader. */
import type { ProofUploader } from '../../agent/ports.ts';
import { type SignedClockCorrection, signClockStatement } from '../../protocol/clock-statement.ts';
import type { Hex } from '../../protocol/hex.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { GENESIS_PREV, type SignedTrafficProof, trafficProofDigestHex } from '../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { type SignedProofReceipt, signProofReceipt, type Verdict } from '../../protocol/verdict.ts';
import { type AgentScene, NODE } from './agent-scene.ts';

const KEY = new Uint8Array(32).fill(11);

/** Keeps each proof once, by digest; away, lying or deaf when told so. */
export class FakeCollector {
  readonly taken = new Map<Hex, SignedTrafficProof>();
  readonly corrections: SignedClockCorrection[] = [];
  isAway = false;
  /** Takes the next so many uploads, and does not answer. */
  lostAnswers = 0;
  timeS: bigint | undefined;
  readonly #scene: AgentScene;

  constructor(scene: AgentScene) {
    this.#scene = scene;
    this.plugIn(scene);
  }

  get chain(): readonly SignedTrafficProof[] {
    return [...this.taken.values()].sort((a, b) => Number(a.seq - b.seq));
  }

  plugIn(scene: AgentScene): void {
    const away = { ok: false as const, message: 'no route' };
    scene.uploader = {
      upload: (body) => Promise.resolve(this.isAway ? away : this.#take(body)),
      head: () => Promise.resolve(this.isAway ? away : this.#head()),
      time: () => Promise.resolve(this.isAway || this.timeS === undefined ? away : this.#time(this.timeS)),
      correct: (correction) => {
        if (!this.isAway) this.corrections.push(correction);
        return Promise.resolve(this.isAway ? away : { ok: true });
      },
    };
    scene.restart();
  }

  get #registry() {
    const { chainId, registry } = this.#scene.config.chain;
    return { chainId, registry };
  }

  #take(body: Uint8Array): Awaited<ReturnType<ProofUploader['upload']>> {
    const decoded = decodeProofUpload(body);
    if (!decoded.ok) throw new Error(decoded.path);
    const { proof } = decoded.value;
    const digest = trafficProofDigestHex(this.#registry, proof);
    const same = this.chain.find(({ seq, epoch }) => seq === proof.seq && epoch === proof.epoch);
    const isOther = same !== undefined && trafficProofDigestHex(this.#registry, same) !== digest;
    if (!isOther) this.taken.set(digest, proof);
    if (this.lostAnswers > 0 && this.lostAnswers-- > 0) return { ok: false, message: 'the answer was lost' };
    return { ok: true, receipt: this.#receipt(digest, isOther ? 'equivocation' : 'valid') };
  }

  #head(): Awaited<ReturnType<NonNullable<ProofUploader['head']>>> {
    const proof = this.chain.at(-1);
    if (proof === undefined) return { ok: true };
    return {
      ok: true,
      head: { proof, receipt: this.#receipt(trafficProofDigestHex(this.#registry, proof), 'valid') },
    };
  }

  #time(timeS: bigint): Awaited<ReturnType<NonNullable<ProofUploader['time']>>> {
    const statement = {
      collector: addressFromSecretKey(KEY),
      device: NODE.device,
      nonce: GENESIS_PREV,
      timeS,
    };
    return { ok: true, statement: signClockStatement(this.#registry, statement, KEY) };
  }

  #receipt(proof: Hex, verdict: Verdict): SignedProofReceipt {
    return signProofReceipt(
      this.#registry,
      { collector: addressFromSecretKey(KEY), proof, verdict, receivedS: 1n },
      KEY,
    );
  }
}
