/** An agent whose uploads go to a real collector over HTTP; the collector can be exchanged for one that knows less. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { proofUploader } from '../../agent/adapters/uploader.ts';
import type { ProofUploader } from '../../agent/ports.ts';
import { Registry } from '../../fleet/registry.ts';
import { addRegistryRoutes } from '../../fleet/registry-routes.ts';
import { RegistryStore } from '../../fleet/registry-store.ts';
import type { SignedClockCorrection } from '../../protocol/clock-statement.ts';
import { PHONE } from '../agent/core/support/story.ts';
import { COLLECTOR, type OpenCollector, openCollector } from '../fleet/open-collector.ts';
import { AgentScene, NODE, settled } from './agent-scene.ts';
import './own-testdir.ts';

export class Uplink {
  readonly scene = new AgentScene();
  readonly uploads: string[] = [];
  readonly corrections: SignedClockCorrection[] = [];
  collector: OpenCollector | undefined;
  /** Unix seconds at the collector, where the router's clock is wrong. */
  collectorS: bigint | undefined;
  /** Whether the router may ask for the time and the head of its chain, and correct its clock. */
  mayAsk = false;
  /** Whether the collector refuses to tell the time. */
  isTimeSecret = false;
  #underWay = 0;
  #registry: RegistryStore | undefined;
  #url = '';
  readonly #directory: string;

  constructor(t: Test) {
    this.#directory = t.testdir();
    t.teardown(async () => {
      await this.collector?.close();
      this.#registry?.close();
    });
  }

  /** A collector with the storage of that name. */
  async use(name: string): Promise<void> {
    await this.collector?.close();
    const { chainId, channels, registry } = this.scene.config.chain;
    this.collector = await openCollector(join(this.#directory, name), [], {
      deployment: { chainId, channels, registry },
      devices: (address) => (address === NODE.device ? { isRevoked: false, linkBytesPerS: 125_000_000n } : undefined),
      nowS: () => this.collectorS ?? this.scene.clock.wall().unixS,
    });
    const { app, intake, store } = this.collector;
    const nowS = () => this.collectorS ?? this.scene.clock.wall().unixS;
    const vendors = new Map();
    this.#registry ??= new RegistryStore(`${this.#directory}/registry.db`);
    const deployment = { chainId, registry };
    const parts = { store: this.#registry, deployment };
    await addRegistryRoutes(app, {
      ...parts,
      registry: new Registry({ ...parts, collector: COLLECTOR.address, vendors, nowS }),
      collector: COLLECTOR,
      isKnown: (device) => device === NODE.device,
      chainOf: (device) => store.chain(device),
      inTurn: (f) => store.tx(f),
      correctClock: (correction) => intake.correctClock(correction),
      nowS,
    });
    this.#url = await app.listen({ host: '127.0.0.1', port: 0 });
    this.plugIn();
  }

  plugIn(): void {
    const { chainId, registry } = this.scene.config.chain;
    const http = proofUploader({
      collectorUrl: this.#url,
      collector: COLLECTOR.address,
      deployment: { chainId, registry },
      device: NODE.device,
      sign: (digest) => this.scene.signer.sign(digest),
    });
    const { head, time, correct } = http as Required<ProofUploader>;
    const asked: Partial<ProofUploader> = {
      head: () => this.#counted(head()),
      time: () => (this.isTimeSecret ? Promise.resolve({ ok: false, message: 'not told' }) : this.#counted(time())),
      correct: (correction) => {
        this.corrections.push(correction);
        return this.#counted(correct(correction));
      },
    };
    this.scene.uploader = {
      ...(this.mayAsk ? asked : {}),
      upload: async (body) => {
        const answer = await this.#counted(http.upload(body));
        this.uploads.push(answer.ok ? answer.receipt.verdict : answer.message);
        return answer;
      },
    };
  }

  async buy(): Promise<void> {
    const result = await this.scene.desk.open(PHONE, this.scene.openRequest());
    if (!result.ok) throw new Error(result.reason);
  }

  /** An interval with 500 kB in it is closed, and all that can be sent is. */
  async interval(): Promise<void> {
    this.scene.download(500_000n);
    await this.scene.sample();
    await this.pass();
  }

  async pass(): Promise<void> {
    this.scene.clock.ms += 60_000;
    this.scene.proofs.poll();
    // As long as anything is on its way to the collector, and what follows from the last answer.
    for (let quiet = 0; quiet < 8; quiet = this.#underWay === 0 ? quiet + 1 : 0) await settled();
  }

  async #counted<T>(work: Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      return await work;
    } finally {
      this.#underWay -= 1;
    }
  }

  verdicts() {
    return this.collector?.store
      .verdicts(NODE.device, 0n, 100)
      .toSorted((a, b) => Number(a.seq - b.seq))
      .map(({ seq, verdict }) => `${seq} ${verdict}`);
  }

  receipts() {
    return this.scene.journal
      .proofs(100)
      .map(({ receipt }) => receipt?.verdict)
      .reverse();
  }
}
