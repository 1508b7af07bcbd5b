/** An agent between fake edges, with a guest who signs for real. The edges outlive the agent, so that it can be started anew. */
import { mock } from 'node:test';
import { AirCheck } from '../../agent/air-check.ts';
import type { AgentConfig } from '../../agent/core/config.ts';
import type { CounterKey, IpAddress } from '../../agent/core/model.ts';
import { stateFromJournal } from '../../agent/core/restore.ts';
import { sessionOfMac } from '../../agent/core/state.ts';
import { Driver } from '../../agent/driver.ts';
import { createGuestDesk } from '../../agent/guest/desk.ts';
import type { GuestDesk, ProofUploader, Signer } from '../../agent/ports.ts';
import { ProofMaker } from '../../agent/proofs/proof-maker.ts';
import { OpenWatch } from '../../agent/settlement/open-watch.ts';
import { Watch } from '../../agent/watch.ts';
import { openRequestFrom, type Purchase } from '../../captive-portal/page/wallet.ts';
import type { OpenRequest } from '../../protocol/open-wire.ts';
import type { SignedQuote } from '../../protocol/quote.ts';
import { addressFromSecretKey, signDigest } from '../../protocol/signature.ts';
import { type SignedVoucher, signVoucher } from '../../protocol/voucher.ts';
import { NOW_S, PAYEE, PHONE, PHONE_IP, testConfig, WLAN0 } from '../agent/core/support/story.ts';
import { FakeChain } from './fake-chain.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeEnforcer } from './fake-enforcer.ts';
import { FakeJournal } from './fake-journal.ts';
import { FakeNeighbours } from './fake-neighbours.ts';
import { FakeStations } from './fake-stations.ts';
import { FaultLine } from './fault-line.ts';
import { NobleVerifier } from './noble-verifier.ts';

export const DEVICE_KEY = new Uint8Array(32).fill(7);
export const GUEST_KEY = new Uint8Array(32).fill(9);
export const PREFIXES = [{ address: '10.0.0.1' as IpAddress, length: 24 }];
export const NODE = { device: addressFromSecretKey(DEVICE_KEY), payee: PAYEE };

export type LogLine = { readonly level: 'info' | 'warn' | 'error'; readonly event: string; readonly details: object };

export class AgentScene {
  readonly config: AgentConfig;
  readonly line = new FaultLine();
  readonly clock = new FakeClock(NOW_S);
  readonly journal = new FakeJournal(this.line);
  readonly enforcer = new FakeEnforcer(this.line);
  readonly chain: FakeChain;
  readonly neighbours = new FakeNeighbours([{ mac: PHONE, address: PHONE_IP, port: WLAN0 }]);
  readonly logged: LogLine[] = [];
  readonly fatal: unknown[] = [];
  readonly signer: Signer = { address: NODE.device, sign: (digest) => signDigest(digest, DEVICE_KEY) };
  readonly verifier = new NobleVerifier();
  uploader: ProofUploader | undefined;
  heldBecause: string | undefined;
  notSelling: string | undefined;
  flowtables: readonly string[] | Error = [];
  prefixes: typeof PREFIXES = PREFIXES;
  stations = new FakeStations();
  airCheck = new AirCheck();
  driver!: Driver;
  desk!: GuestDesk;
  proofs!: ProofMaker;
  watch!: Watch;
  opens!: OpenWatch;

  constructor(change?: (config: AgentConfig) => AgentConfig) {
    this.config = testConfig(change);
    const { chainId, channels } = this.config.chain;
    this.chain = new FakeChain(this.line, { chainId, channels });
    this.restart();
  }

  get deployment() {
    const { chainId, channels } = this.config.chain;
    return { chainId, channels };
  }

  get log() {
    const keep = (level: LogLine['level']) => (details: object, event: string) =>
      void this.logged.push({ level, event, details });
    return { info: keep('info'), warn: keep('warn'), error: keep('error') };
  }

  events(): readonly string[] {
    return this.logged.map(({ event }) => event);
  }

  /** The agent anew, with nothing but what journal, kernel and chain kept. */
  restart(): void {
    this.enforcer.forgetListeners();
    this.stations = new FakeStations();
    const { config, clock, enforcer, journal, chain, neighbours, signer, log } = this;
    const state = stateFromJournal(journal.load(), clock.monotonicMs(), clock.wall().unixS);
    const guestPrefixes = () => this.prefixes;
    const edges = { config, clock, enforcer, journal, chain, neighbours, signer, log, guestPrefixes };
    const driver = new Driver({ ...edges, onFatal: (cause) => void this.fatal.push(cause) }, state);
    this.driver = driver;
    const { uploader, heldBecause } = this;
    this.proofs = new ProofMaker({
      ...edges,
      driver,
      retryDelayMs: (attempt) => 1_000 * 2 ** attempt,
      ...(uploader === undefined ? {} : { uploader }),
      ...(heldBecause === undefined ? {} : { heldBecause }),
    });
    this.opens = new OpenWatch({ ...edges, driver });
    this.watch = new Watch({
      ...edges,
      driver,
      stations: this.stations,
      airCheck: this.airCheck,
      leases: { start: () => Promise.resolve(), close: () => undefined },
      proofs: this.proofs,
      offloads: () =>
        this.flowtables instanceof Error ? Promise.reject(this.flowtables) : Promise.resolve(this.flowtables),
    });
    this.desk = createGuestDesk({
      ...edges,
      verifier: this.verifier,
      driver,
      node: NODE,
      random32: () => new Uint8Array(32).fill(3),
      minuteOfDay: () => 0,
      notSelling: () => this.notSelling ?? this.watch.saleTrouble,
    });
  }

  quote(): SignedQuote {
    const quote = this.desk.quote();
    if ('notSelling' in quote) throw new Error(`quote refused: ${quote.notSelling}`);
    return quote;
  }

  /** What the guest's page signs for 10,000 units deposited and 1,050 given: the open fee and 100 MB. */
  openRequest(change: Partial<Purchase> = {}): OpenRequest {
    const { chain } = this.config;
    const tokenDomain = {
      name: chain.tokenName,
      version: chain.tokenVersion,
      chainId: chain.chainId,
      verifyingContract: chain.token,
    };
    const made = openRequestFrom({
      terms: {
        quote: this.quote(),
        deployment: this.deployment,
        tokenDomain,
        packages: [],
        trialBytes: 0n,
        nowS: this.clock.wall().unixS,
      },
      secretKey: GUEST_KEY,
      deposit: 10_000n,
      firstAmount: 1_050n,
      mode: 'hold',
      salt: `0x${'5a'.repeat(32)}`,
      ...change,
    });
    if (!made.ok) throw new Error(`wallet refused: ${made.reason}`);
    return made.request;
  }

  voucher(request: OpenRequest, amount: bigint, ackBytes = 0n): SignedVoucher {
    return signVoucher(this.deployment, { channelId: request.voucher.channelId, amount, ackBytes }, GUEST_KEY);
  }

  /** The phone downloads; what fits its quota passes. */
  download(bytes: bigint, key: CounterKey = `down:${PHONE_IP}`): bigint {
    const session = sessionOfMac(this.driver.state, PHONE);
    return session === undefined ? 0n : this.enforcer.carry(session.id, bytes, key);
  }

  /** Lets time pass for clock and (mocked) timers, and waits for what follows. */
  async advance(ms: number): Promise<void> {
    this.clock.ms += ms;
    mock.timers.tick(ms);
    await settled();
  }

  /** One turn of the watch loop, by hand. */
  async sample(): Promise<void> {
    const { counters } = await this.enforcer.read();
    this.driver.dispatch({ kind: 'counters-read', counters });
    this.driver.dispatch({ kind: 'tick', nowS: this.clock.wall().unixS });
    await settled();
  }
}

/** Everything that needs no clock has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}
