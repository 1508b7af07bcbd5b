/**
 * Passes that the owner prints or sells: accounts with a code for a key, funded from the SSP of the node's own wallet. A pass is
 * on record before it is funded, and funded once: what a crash leaves open is shown as unfunded, and sent when the owner says so.
 */

import type { Hex } from '../../protocol/hex.ts';
import { formatPassCode } from '../../protocol/pass-code.ts';
import type { TokenAmount } from '../../protocol/units.ts';
import { TRANSFER_GAS } from '../core/gas.ts';
import { floatFloorWei } from '../core/settlement.ts';
import type { AgentState } from '../core/state.ts';
import type { DriverLog } from '../driver.ts';
import type { Chain, Clock, PassBook, PassesResult, PassRow, Signer, StoredPass } from '../ports.ts';
import { addressFromPassCode, passCodeFor } from '../treasury/pass-codes.ts';

export type PassDeskDeps = {
  readonly book: PassBook;
  /** 32 secret bytes that all codes come from; made at the first use. */
  readonly seed: () => Uint8Array;
  readonly chain: Pick<Chain, 'balanceOf' | 'costs' | 'transfer'>;
  readonly gasKey: Pick<Signer, 'address'>;
  readonly state: () => AgentState;
  readonly clock: Pick<Clock, 'wall'>;
  readonly log: DriverLog;
};

/** One batch: a sheet or two, and what fits a few blocks. */
export const MAX_PASSES_PER_BATCH = 100;
/** 100 SSP: whoever serves the guest's page could steal a pass, so none shall be worth much. */
export const MAX_PASS_UNITS: TokenAmount = 1_000_000n;
/** All that one router makes: each is a line in memory. */
export const MAX_PASSES = 10_000;
/** The newest ones that are listed, with what the chain says of each. */
export const MAX_LISTED_PASSES = 200;
/** Stands in the record for the transaction of a pass that was seen funded: which one it was did not survive. */
const SEEN_FUNDED: Hex = `0x${'00'.repeat(32)}`;
/** Questions to the node at the same time. */
const ASKED_AT_ONCE = 8;

export class PassDesk {
  readonly #deps: PassDeskDeps;
  readonly #funding = new Set<number>();
  #isCreating = false;

  constructor(deps: PassDeskDeps) {
    this.#deps = deps;
  }

  /**
   * Puts passes on record and begins to fund them; resolves once they are on record. Refused, with what is missing, if the
   * node's wallet cannot pay for all of them and still close what is open.
   */
  async create(count: number, units: TokenAmount): Promise<PassesResult> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_PASSES_PER_BATCH)
      return refuse('bad-count', `count must be 1 to ${MAX_PASSES_PER_BATCH}, got ${count}`);
    if (units < 1n || units > MAX_PASS_UNITS)
      return refuse('bad-value', `a pass holds 1 to ${MAX_PASS_UNITS} units, got ${units}`);
    if (this.#isCreating || this.#funding.size > 0)
      return refuse('busy', 'other passes are being made: wait until they are funded');
    this.#isCreating = true;
    try {
      const isFull = this.#tooMany(count);
      if (isFull !== undefined) return isFull;
      const missing = await this.#missing(count, BigInt(count) * units);
      if (missing !== undefined) return missing;
      return this.#begin(this.#recorded(count, units));
    } finally {
      this.#isCreating = false;
    }
  }

  /**
   * Funds what a crash, or a chain that was away, left unfunded: the oldest MAX_PASSES_PER_BATCH, each under the name it had
   * then, so that one whose transaction is still under way is waited for, not sent again. What holds anything was paid.
   */
  async fund(): Promise<PassesResult> {
    if (this.#isCreating || this.#funding.size > 0)
      return refuse('busy', 'other passes are being made: wait until they are funded');
    this.#isCreating = true;
    try {
      const open = this.#deps.book.all().filter(({ tx }) => tx === undefined);
      const oldest = [...open].sort((a, b) => a.serial - b.serial).slice(0, MAX_PASSES_PER_BATCH);
      const rows = await inGroups(oldest, (pass) => this.#look(pass));
      if (rows.some(({ state }) => state === 'unknown'))
        return refuse('chain-unreachable', 'the chain does not say which passes are funded: try again later');
      const unfunded = oldest.filter((_, i) => rows[i]?.state === 'unfunded');
      if (unfunded.length === 0) return { ok: true, passes: [] };
      const missing = await this.#missing(
        unfunded.length,
        unfunded.reduce((sum, { units }) => sum + units, 0n),
      );
      return missing ?? this.#begin(unfunded);
    } finally {
      this.#isCreating = false;
    }
  }

  #begin(passes: readonly StoredPass[]): PassesResult {
    for (const { serial } of passes) this.#funding.add(serial);
    void this.#fund(passes);
    return { ok: true, passes: passes.map((pass) => this.#row(pass, 'funding')) };
  }

  /** What is on its way from the node's wallet to passes. */
  get fundingUnits(): TokenAmount {
    const { book } = this.#deps;
    return book.all().reduce((sum, { serial, units }) => (this.#funding.has(serial) ? sum + units : sum), 0n);
  }

  /** Newest first, at most MAX_LISTED_PASSES, with what is on them; state "unknown" while the chain does not answer. */
  async list(): Promise<readonly PassRow[]> {
    const newest = [...this.#deps.book.all()].sort((a, b) => b.serial - a.serial).slice(0, MAX_LISTED_PASSES);
    return await inGroups(newest, (pass) => this.#look(pass));
  }

  #tooMany(count: number): PassesResult | undefined {
    const made = this.#deps.book.all().length;
    if (made + count <= MAX_PASSES) return undefined;
    return refuse('too-many', `this router has made ${made} of ${MAX_PASSES} passes`);
  }

  async #missing(count: number, needed: TokenAmount): Promise<PassesResult | undefined> {
    const { chain, gasKey, state } = this.#deps;
    const [held, costs] = await Promise.all([chain.balanceOf(gasKey.address), chain.costs()]);
    if (!held.ok) return refuse('chain-unreachable', held.message);
    if (!costs.ok) return refuse('chain-unreachable', costs.message);
    if (held.units < needed) {
      const message = `the node's wallet ${gasKey.address} holds ${held.units} units, ${needed} are needed: send it the rest`;
      return refuse('not-enough-ssp', message);
    }
    const gasWei = BigInt(count) * TRANSFER_GAS * costs.gasPriceWei + floatFloorWei(state(), costs);
    if (costs.balanceWei >= gasWei) return undefined;
    const message = `the gas key ${gasKey.address} holds ${costs.balanceWei} wei, ${gasWei} are needed: send it coin`;
    return refuse('not-enough-coin', message);
  }

  #recorded(count: number, units: TokenAmount): readonly StoredPass[] {
    const { book, seed, clock } = this.#deps;
    const secret = seed();
    const first = book.lastSerial() + 1;
    const madeS = clock.wall().unixS;
    const passes = Array.from({ length: count }, (_, i): StoredPass => {
      const serial = first + i;
      return { serial, address: addressFromPassCode(passCodeFor(secret, serial)), units, madeS };
    });
    book.store(passes);
    return passes;
  }

  /** All are signed one after the other and wait together, so that they share blocks. */
  async #fund(passes: readonly StoredPass[]): Promise<void> {
    const { chain, book, log } = this.#deps;
    await Promise.all(
      passes.map(async (pass) => {
        try {
          const result = await chain.transfer(pass.address, pass.units, `pass-${pass.address}`);
          if (result.ok) book.store([{ ...pass, tx: result.tx }]);
          else log.warn({ pass: pass.serial, reason: result.reason, message: result.message }, 'pass-not-funded');
        } catch (err) {
          log.error({ err, pass: pass.serial }, 'pass-not-funded');
        } finally {
          this.#funding.delete(pass.serial);
        }
      }),
    );
    log.info({ count: passes.length }, 'passes-funded');
  }

  async #look(pass: StoredPass): Promise<PassRow> {
    if (this.#funding.has(pass.serial)) return this.#row(pass, 'funding');
    const held = await this.#deps.chain.balanceOf(pass.address);
    if (!held.ok) return this.#row(pass, 'unknown');
    // From now on it was paid, even once it is used up.
    if (held.units > 0n && pass.tx === undefined) this.#deps.book.store([{ ...pass, tx: SEEN_FUNDED }]);
    if (held.units >= pass.units) return this.#row(pass, 'ready', held.units);
    if (held.units > 0n) return this.#row(pass, 'part-used', held.units);
    return this.#row(pass, pass.tx === undefined ? 'unfunded' : 'used', held.units);
  }

  #row({ serial, address, units, madeS }: StoredPass, state: PassRow['state'], leftUnits?: TokenAmount): PassRow {
    const code = formatPassCode(passCodeFor(this.#deps.seed(), serial));
    return { serial, code, address, units, madeS, state, ...(leftUnits === undefined ? {} : { leftUnits }) };
  }
}

async function inGroups<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const done: R[] = [];
  for (let i = 0; i < items.length; i += ASKED_AT_ONCE) {
    done.push(...(await Promise.all(items.slice(i, i + ASKED_AT_ONCE).map(work))));
  }
  return done;
}

function refuse(reason: string, message: string): Extract<PassesResult, { ok: false }> {
  return { ok: false, reason, message };
}
