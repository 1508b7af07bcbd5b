/**
 * What an address holds on chain, for a guest's page: so that it asks for no deposit that cannot be made, which would count as one of the
 * guest's few opens, and sees money from another wallet arrive. Public figures; what is guarded is how often the chain is asked.
 */
import type { Address } from '../../protocol/address.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import { refuse } from '../core/refusal.ts';
import type { Chain, Clock, DeskRefusal } from '../ports.ts';

/** A page that waits for money asks every 5 s; two pages with one ticket share an answer. */
const ANSWER_MS = 2_000;
/** Questions of all guests together: two dozen that pay at once, or ten that wait. Endpoints count questions. */
const QUESTIONS_PER_MINUTE = 120;
const MINUTE_MS = 60_000;

type BalanceResult = { readonly ok: true; readonly units: TokenAmount } | DeskRefusal;
type Question = { readonly owner: Address; readonly atMs: number; readonly answer: Promise<BalanceResult> };

export class BalanceDesk {
  readonly #deps: { readonly chain: Pick<Chain, 'balanceOf'>; readonly clock: Pick<Clock, 'monotonicMs'> };
  /** Of the last minute, the oldest first; as many as a minute may have. */
  #asked: readonly Question[] = [];

  constructor(deps: { readonly chain: Pick<Chain, 'balanceOf'>; readonly clock: Pick<Clock, 'monotonicMs'> }) {
    this.#deps = deps;
  }

  /** Refused with `not-checked` when too many have asked, with `chain-unreachable` when the chain does not answer. */
  balance(owner: Address): Promise<BalanceResult> {
    const nowMs = this.#deps.clock.monotonicMs();
    this.#asked = this.#asked.filter(({ atMs }) => nowMs - atMs < MINUTE_MS);
    const known = this.#asked.findLast((question) => question.owner === owner);
    if (known !== undefined && nowMs - known.atMs < ANSWER_MS) return known.answer;
    if (this.#asked.length >= QUESTIONS_PER_MINUTE) {
      const expected = `at most ${QUESTIONS_PER_MINUTE} questions a minute`;
      return Promise.resolve(refuse('not-checked', expected, 'more'));
    }
    const answer = this.#ask(owner);
    this.#asked = [...this.#asked, { owner, atMs: nowMs, answer }];
    return answer;
  }

  async #ask(owner: Address): Promise<BalanceResult> {
    const held = await this.#deps.chain.balanceOf(owner);
    return held.ok
      ? { ok: true, units: held.units }
      : refuse('chain-unreachable', 'an answer from the settlement chain', held.message);
  }
}
