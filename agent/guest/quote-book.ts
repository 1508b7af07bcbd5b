/** The signed offer that guests are given: made anew when its tariff changed or half of its life is over. */
import { hexFromBytes } from '../../protocol/hex.ts';
import { type Quote, quoteDigest, type SignedQuote } from '../../protocol/quote.ts';
import type { AgentConfig } from '../core/config.ts';
import type { NodeIdentity } from '../core/model.ts';
import { tariffAt } from '../core/tariff.ts';
import type { Clock, Signer } from '../ports.ts';

export type QuoteBookDeps = {
  readonly config: AgentConfig;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly node: NodeIdentity;
  /** 32 random bytes. */
  readonly random32: () => Uint8Array;
  /** Minute of the day, local time, for time-of-day tariffs. */
  readonly minuteOfDay: () => number;
};

/** A quote is honoured this long, and handed out again until half of it is over: signing costs a router 20-40 ms. */
const QUOTE_SECONDS = 600n;

export class QuoteBook {
  readonly #deps: QuoteBookDeps;
  #newest: SignedQuote | undefined;

  constructor(deps: QuoteBookDeps) {
    this.#deps = deps;
  }

  current(): SignedQuote {
    const { clock, config, signer } = this.#deps;
    const nowS = clock.wall().unixS;
    const tariff = tariffAt(config.price, this.#deps.minuteOfDay());
    const known = this.#newest;
    // A wall clock that was set back must not keep an old quote, with its expiry far away, for longer than its life.
    const leftS = known === undefined ? 0n : known.validUntil - nowS;
    const isFresh = known !== undefined && leftS > QUOTE_SECONDS / 2n && leftS <= QUOTE_SECONDS;
    if (isFresh && this.#isStillOffered(known, tariff)) return known;
    const quote = this.#quoteAt(nowS, tariff);
    const { chainId, channels } = config.chain;
    this.#newest = { ...quote, signature: signer.sign(quoteDigest({ chainId, channels }, quote)) };
    return this.#newest;
  }

  /** The owner may change the price, and what goes with it, while the agent runs. */
  #isStillOffered(quote: Quote, tariff: AgentConfig['price']['tariff']): boolean {
    const { minDeposit, openFee } = this.#deps.config.price;
    const isSameTariff = quote.unitsPerMb === tariff.unitsPerMb && quote.unitsPerMinute === tariff.unitsPerMinute;
    return isSameTariff && quote.minDeposit === minDeposit && quote.openFee === openFee;
  }

  #quoteAt(nowS: bigint, tariff: AgentConfig['price']['tariff']): Quote {
    const { config, node, random32 } = this.#deps;
    return {
      device: node.device,
      payee: node.payee,
      token: config.chain.token,
      unitsPerMb: tariff.unitsPerMb,
      unitsPerMinute: tariff.unitsPerMinute,
      minDeposit: config.price.minDeposit,
      openFee: config.price.openFee,
      exitDelay: BigInt(config.chain.exitDelaySeconds),
      expiry: nowS + BigInt(config.chain.channelSeconds),
      validUntil: nowS + QUOTE_SECONDS,
      nonce: hexFromBytes(random32()),
    };
  }
}
