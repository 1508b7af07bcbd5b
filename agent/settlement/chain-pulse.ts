/** Whether the settlement chain answers: asked when somebody wants to know, at most once a minute. */
import type { Address } from '../../protocol/address.ts';
import type { Chain, Clock } from '../ports.ts';

const ASK_AGAIN_MS = 60_000;

export class ChainPulse {
  readonly #deps: { readonly chain: Pick<Chain, 'balanceOf'>; readonly clock: Clock; readonly payee: Address };
  #isConnected: boolean | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  constructor(deps: { readonly chain: Pick<Chain, 'balanceOf'>; readonly clock: Clock; readonly payee: Address }) {
    this.#deps = deps;
  }

  /** What the last look found, undefined before the first has an answer; starts the next look if that is long ago. */
  isConnected(): boolean | undefined {
    const nowMs = this.#deps.clock.monotonicMs();
    if (!this.#isAsking && nowMs - this.#askedMs >= ASK_AGAIN_MS) {
      this.#askedMs = nowMs;
      void this.#ask();
    }
    return this.#isConnected;
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const result = await this.#deps.chain.balanceOf(this.#deps.payee);
      // A chain that refuses is there.
      this.#isConnected = result.ok || result.reason === 'refused';
    } catch {
      this.#isConnected = false;
    } finally {
      this.#isAsking = false;
    }
  }
}
