/**
 * An agent with the real chain adapter, a real anvil and the real journal, around a model of the kernel. It dies when its
 * fault line says so and starts anew from the file, the kernel and the chain, as after kill -9.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createChain } from '../../agent/adapters/chain.ts';
import { journalTransactions } from '../../agent/adapters/journal/journal-transactions.ts';
import { SqliteJournal } from '../../agent/adapters/journal/sqlite-journal.ts';
import type { AgentConfig } from '../../agent/core/config.ts';
import { stateFromJournal } from '../../agent/core/restore.ts';
import { sessionOfMac } from '../../agent/core/state.ts';
import { Driver } from '../../agent/driver.ts';
import { createGuestDesk } from '../../agent/guest/desk.ts';
import type { Chain, Enforcer, GuestDesk, Journal } from '../../agent/ports.ts';
import { openRequestFrom } from '../../captive-portal/page/wallet.ts';
import type { Hex } from '../../protocol/hex.ts';
import type { OpenRequest } from '../../protocol/open-wire.ts';
import { type SignedVoucher, signVoucher } from '../../protocol/voucher.ts';
import { NOW_S, PHONE, PHONE_IP, testConfig, WLAN0 } from '../agent/core/support/story.ts';
import type { Account, AnvilWithContracts } from './anvil.ts';
import { signerFromSecretKey } from './channel-scene.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeEnforcer } from './fake-enforcer.ts';
import { FakeNeighbours } from './fake-neighbours.ts';
import { FaultLine } from './fault-line.ts';
import { NobleVerifier } from './noble-verifier.ts';

export type ChainWorldOptions = {
  readonly anvil: AnvilWithContracts;
  readonly guest: Account;
  readonly payee: Account;
  readonly device: Account;
  readonly journalPath: string;
  /** Makes the channel distinct from that of other worlds on the same chain. */
  readonly salt: Hex;
  readonly rpcUrl?: string;
  readonly rpcBackups?: readonly string[];
  readonly requestTimeoutMs?: number;
  readonly receiptTimeoutMs?: number;
  readonly stuckMs?: number;
};

type Life = {
  readonly line: FaultLine;
  readonly stop: AbortController;
  readonly store: SqliteJournal;
  readonly chain: Chain;
  readonly driver: Driver;
  readonly desk: GuestDesk;
};

/**
 * A step of open, pay, claim or close: what a crash is placed behind. What is only read changes nothing: dying behind it is
 * dying behind the step before.
 */
export const isLabelled = (call: string): boolean =>
  call.startsWith('journal.commit') || call === 'enforcer.reconcile' || call === 'rpc.eth_sendRawTransaction';

const TURN_MS = 10;
/** Calls follow each other within one turn, the polls for a receipt too. */
const QUIET_TURNS = 15;
/** More than any time limit of these stories, for a node that never answers. */
const MOST_TURNS = 400;

export class ChainWorld {
  readonly config: AgentConfig;
  readonly clock = new FakeClock(NOW_S);
  readonly kernel = new FakeEnforcer(new FaultLine());
  readonly logged: string[] = [];
  lives = 0;
  readonly #options: ChainWorldOptions;
  #life!: Life;

  constructor(options: ChainWorldOptions) {
    this.#options = options;
    const { chainId, channels, token } = options.anvil.deployment;
    this.config = testConfig((config) => ({
      ...config,
      chain: { ...config.chain, chainId, channels, token, payee: options.payee.address, tokenName: 'SSP Test Token' },
      session: { ...config.session, absentSeconds: 86_400 },
    }));
    this.start();
  }

  get driver(): Driver {
    return this.#life.driver;
  }

  get desk(): GuestDesk {
    return this.#life.desk;
  }

  get chain(): Chain {
    return this.#life.chain;
  }

  get line(): FaultLine {
    return this.#life.line;
  }

  get store(): SqliteJournal {
    return this.#life.store;
  }

  start(): void {
    const {
      anvil,
      device,
      journalPath,
      rpcUrl = anvil.rpcUrl,
      rpcBackups = [],
      requestTimeoutMs = 500,
    } = this.#options;
    const { config, clock } = this;
    const line = new FaultLine();
    const stop = new AbortController();
    const store = new SqliteJournal({ path: journalPath, windowMs: 0 });
    const journal = failing(line, store);
    const signer = signerFromSecretKey(device.secretKey);
    const { chainId, channels, token } = config.chain;
    const chain = createChain({
      rpcUrl,
      rpcBackups,
      chainId,
      channels,
      token,
      gasKey: signer,
      device: signer,
      signal: stop.signal,
      log: journalTransactions({
        commit: (entries) => journal.commit(entries),
        transactions: () => store.transactions(),
      }),
      fetch: (url, init) => {
        const { method } = JSON.parse(String(init?.body)) as { method: string };
        return guarded(line, `rpc.${method}`, () => fetch(url, init));
      },
      pollMs: 5,
      receiptTimeoutMs: this.#options.receiptTimeoutMs ?? 2_000,
      stuckMs: this.#options.stuckMs ?? 30_000,
      requestTimeoutMs,
    });
    this.kernel.forgetListeners();
    const state = stateFromJournal(store.load(), clock.monotonicMs(), clock.wall().unixS);
    const log = logTo(this.logged);
    const neighbours = new FakeNeighbours([{ mac: PHONE, address: PHONE_IP, port: WLAN0 }]);
    const edges = { config, clock, journal, chain, neighbours, signer, log, enforcer: kernelOn(line, this.kernel) };
    const driver = new Driver(edges, state);
    const desk = createGuestDesk({
      ...edges,
      driver,
      verifier: new NobleVerifier(),
      guestPrefixes: () => [],
      node: { device: signer.address, payee: config.chain.payee },
      random32: () => new Uint8Array(32).fill(3),
      minuteOfDay: () => 0,
      notSelling: () => undefined,
    });
    this.lives += 1;
    this.#life = { line, stop, store, chain, driver, desk };
  }

  /** The process is gone; what it had not finished never goes on. */
  kill(): void {
    this.#life.line.die();
    this.#life.stop.abort();
    this.#life.store.close();
  }

  /** What the agent's timers do, once: pending opens looked up, transactions tended, counters read, a tick. */
  async look(): Promise<void> {
    const { driver, chain } = this.#life;
    await chain.tend();
    for (const { id, phase, voucher } of [...driver.state.channels.values()]) {
      const result = phase === 'settled' || phase === 'closing' ? undefined : await chain.channel(id);
      if (!result?.ok) continue;
      if (phase !== 'pending') driver.dispatch({ kind: 'channel-seen', channelId: id, seen: result.channel });
      else if (result.channel.deposit >= voucher.amount)
        driver.dispatch({ kind: 'channel-confirmed', channelId: id, deposit: result.channel.deposit });
    }
    const { counters } = await this.kernel.read();
    driver.dispatch({ kind: 'counters-read', counters });
    driver.dispatch({ kind: 'tick', nowS: this.clock.wall().unixS });
  }

  /** Does `act` until `isDone`, letting time pass in between; starts the agent anew whenever it has died. */
  async until(what: string, act: () => Promise<unknown>, isDone: () => boolean, passMs = 11_000): Promise<void> {
    for (let tries = 0; tries < 12; tries++) {
      if (this.line.isDead) {
        this.kill();
        this.start();
        await this.#alive(this.driver.reconciled());
        await this.#alive(this.look());
      }
      if (isDone()) return;
      await this.#alive(act());
      this.clock.ms += passMs;
      await this.#alive(this.look());
      await this.#idle(isDone);
      if (!this.line.isDead && isDone()) return;
    }
    const phases = [...this.driver.state.channels.values()].map(({ phase }) => phase);
    throw new Error(`${what} never came to an end: channels ${phases}; ${this.logged.slice(-6).join('; ')}`);
  }

  openRequest(firstAmount: bigint): OpenRequest {
    const { chain } = this.config;
    const quote = this.desk.quote();
    if ('notSelling' in quote) throw new Error(`quote refused: ${quote.notSelling}`);
    const { chainId, tokenName: name, tokenVersion: version, token: verifyingContract } = chain;
    const made = openRequestFrom({
      terms: {
        quote,
        deployment: this.#options.anvil.deployment,
        tokenDomain: { name, version, chainId, verifyingContract },
        packages: [],
        trialBytes: 0n,
        nowS: this.clock.wall().unixS,
      },
      secretKey: this.#options.guest.secretKey,
      deposit: 10_000n,
      firstAmount,
      mode: 'hold',
      salt: this.#options.salt,
    });
    if (!made.ok) throw new Error(`wallet refused: ${made.reason}`);
    return made.request;
  }

  voucher(channelId: Hex, amount: bigint): SignedVoucher {
    const { anvil, guest } = this.#options;
    return signVoucher(anvil.deployment, { channelId, amount, ackBytes: 0n }, guest.secretKey);
  }

  /** The phone takes all it can get of `bytes`. */
  download(bytes: bigint): void {
    const session = sessionOfMac(this.driver.state, PHONE);
    if (session !== undefined && bytes > 0n) this.kernel.carry(session.id, bytes, `down:${PHONE_IP}`);
  }

  passed(): bigint {
    return [...this.kernel.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  }

  /**
   * Until `isDone`, or the agent has nothing to do but to wait for its clock: a slow machine must not make the clock go on, or what
   * the agent does by the hour (another batch of claims) is done in a story that is told in minutes.
   */
  async #idle(isDone: () => boolean): Promise<void> {
    const { line } = this;
    let begun = -1;
    let quiet = 0;
    for (let turn = 0; turn < MOST_TURNS && quiet < QUIET_TURNS && !line.isDead && !isDone(); turn++) {
      quiet = line.underWay === 0 && line.calls.length === begun ? quiet + 1 : 0;
      begun = line.calls.length;
      await sleep(TURN_MS);
    }
  }

  /** Until `work` is over, or will never be because the process died. */
  async #alive(work: Promise<unknown>): Promise<void> {
    const { line } = this;
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    work.then(over, over);
    for (let turn = 0; turn < 1_000 && !isOver && !line.isDead; turn++) await sleep(5);
  }
}

function failing(line: FaultLine, store: SqliteJournal): Journal {
  return {
    load: () => store.load(),
    commit: (entries) =>
      guarded(line, `journal.commit ${entries.map(({ kind }) => kind).join(' ')}`, () => store.commit(entries)),
    outbox: (limit) => store.outbox(limit),
    proofs: (limit) => store.proofs(limit),
    proofBody: (seq) => store.proofBody(seq),
    drafts: (limit) => store.drafts(limit),
    waiting: () => store.waiting(),
    close: () => store.close(),
  };
}

function kernelOn(line: FaultLine, kernel: FakeEnforcer): Enforcer {
  return {
    reconcile: (plan) => guarded(line, 'enforcer.reconcile', () => kernel.reconcile(plan)),
    read: () => guarded(line, 'enforcer.read', () => kernel.read()),
    verify: () => guarded(line, 'enforcer.verify', () => kernel.verify()),
    onEvent: (listener) => kernel.onEvent(listener),
    close: () => Promise.resolve(),
  };
}

async function guarded<T>(line: FaultLine, name: string, effect: () => Promise<T>): Promise<T> {
  return await line.call<T | Promise<T>>(name, effect, (fault) => Promise.reject(new Error(fault)));
}

function logTo(lines: string[]) {
  const keep = (details: object, event: string) => {
    lines.push(`${event} ${'message' in details ? String(details.message) : ''}`);
  };
  return { info: keep, warn: keep, error: keep };
}
