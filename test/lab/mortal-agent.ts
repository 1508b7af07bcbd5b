/**
 * The agent that dies at labelled steps (fate.ts), and what must hold after each death, whatever the step: the guest that
 * surfs has lost neither its connection nor a metered byte, the guest that pays has all the credit that was acknowledged,
 * and the kernel had granted nothing that the journal does not know to be paid.
 */
import { readFileSync } from 'node:fs';
import type { View } from '../../captive-portal/page/wire.ts';
import { LabError } from './errors.ts';
import { Fate, type Label } from './fate.ts';
import type { Guest } from './guest.ts';
import type { Scene } from './scene.ts';
import { until } from './wait.ts';

/** A step that nothing leads to within this time is never reached. */
const MOST_UNTIL_DEATH_MS = 20_000;
const MOST_WAIT_MS = 10_000;

type Listing = { readonly nftables: readonly { readonly quota?: { name: string; bytes: number } }[] };

export type Life = {
  readonly label: Label;
  /** From the death to the first answer, and a meter that knows what passed before it. */
  readonly backMs: number;
  /** Of that, how long the new process was ready to run and others had the processors. */
  readonly waitedMs: number;
  /** Body bytes of the surfing guest's connection at the death, and when the agent was back. */
  readonly bytesAtDeath: number;
  readonly bytesBack: number;
  readonly flowError: string | undefined;
  /** What the paying guest sees. */
  readonly view: View;
  /** What the paying guest's newest channel has promised, by the agent's books; undefined once they are closed. */
  readonly voucherUnits: bigint | undefined;
  /** All that the paying guest's quotas let pass in the kernel at the death. */
  readonly grantedBytes: bigint;
};

export class MortalAgent {
  readonly fate: Fate;
  /** Its session is over, and may be forgotten. */
  hasSurferLeft = false;
  readonly #scene: Scene;
  readonly #surfer: { readonly guest: Guest; readonly flow: string };
  readonly #payer: Guest;

  constructor(scene: Scene, surfer: { readonly guest: Guest; readonly flow: string }, payer: Guest) {
    this.fate = new Fate(scene.lab.directory);
    this.#scene = scene;
    this.#surfer = surfer;
    this.#payer = payer;
  }

  /**
   * Waits until the agent has died there, starts it anew and waits until it serves. Given a `next` label, the new life waits
   * at that one, should it come to it before the next call.
   * @throws LabError if it does not come to die, or dies elsewhere or in another way
   */
  async dieAt(label: Label, next?: Label): Promise<Life> {
    this.fate.order({ label, isHeld: false });
    await this.#dead(label);
    const diedMs = performance.now();
    const { guest, flow } = this.#surfer;
    const [atDeath, granted] = await Promise.all([guest.flow(flow), this.#granted()]);
    if (next !== undefined) this.fate.order({ label: next, isHeld: true });
    await this.#scene.agent.start();
    const view = await until('the portal to answer', MOST_WAIT_MS, () => this.#payer.portal.view());
    await until('the meter to know what passed before', MOST_WAIT_MS, async () => {
      if (this.hasSurferLeft) return true;
      const { downBytes } = await this.#scene.agent.meteredOf(guest.mac);
      return downBytes >= BigInt(atDeath.bytes);
    });
    const backMs = performance.now() - diedMs;
    const waitedMs = msWaitedBy(this.#scene.agent.pid);
    const back = await guest.flow(flow);
    const session = (await this.#scene.agent.sessions()).findLast(({ macs }) => macs.includes(this.#payer.mac));
    return {
      label,
      backMs,
      waitedMs,
      bytesAtDeath: atDeath.bytes,
      bytesBack: back.bytes,
      flowError: back.error,
      view,
      voucherUnits: (await this.#channels()).at(-1)?.voucher.amount,
      grantedBytes: session === undefined ? 0n : (granted.get(session.id) ?? 0n),
    };
  }

  /** It is killed, and the next life dies there before it serves. The one after that is left to the next call. */
  async dieAtStart(label: Label): Promise<void> {
    this.fate.order({ label, isHeld: false });
    await this.#scene.agent.kill();
    await this.#scene.agent.start().catch((error: unknown) => {
      if (!(error instanceof LabError)) throw error;
    });
    await this.#dead(label);
  }

  async #dead(label: Label): Promise<void> {
    const { agent } = this.#scene;
    await until(`the agent to die ${label}`, MOST_UNTIL_DEATH_MS, () => agent.endedBy !== undefined);
    const reached = this.fate.takeReached();
    if (reached === label && agent.endedBy === 'SIGKILL') return;
    throw new LabError('LAB_AGENT', `Ended by ${agent.endedBy} at ${reached ?? 'no step'}, expected SIGKILL ${label}`);
  }

  async #channels() {
    const all = await this.#scene.agent.channels();
    return all.filter(({ config }) => config.payer === this.#payer.passCode.address);
  }

  /** Limit of the newest quota of each session, as the kernel has it; none without our table. */
  async #granted(): Promise<ReadonlyMap<number, bigint>> {
    const { router } = this.#scene.world;
    const { code, stdout } = await router.run(['nft', '-j', 'list', 'quotas', 'table', 'inet', 'shareagent']);
    const { nftables } = JSON.parse(code === 0 ? stdout : '{"nftables":[]}') as Listing;
    const limits = new Map<number, bigint>();
    for (const { quota } of nftables) {
      const id = Number(/^q(\d+)_/.exec(quota?.name ?? '')?.[1]);
      const bytes = BigInt(quota?.bytes ?? 0);
      if (quota !== undefined && bytes > (limits.get(id) ?? -1n)) limits.set(id, bytes);
    }
    return limits;
  }
}

/** Of the main thread; run queue time is the second figure of /proc/PID/schedstat, in ns. */
function msWaitedBy(pid: number | undefined): number {
  const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  return Number(waitedNs) / 1_000_000;
}
