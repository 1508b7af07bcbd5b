/** Two agents of one owner, each with kernel, journal and chain of its own as models, and a link that can be cut. */
import { stateFromJournal } from '../../../../agent/core/restore.ts';
import { sessionOfMac } from '../../../../agent/core/state.ts';
import { Driver } from '../../../../agent/driver.ts';
import { createGuestDesk } from '../../../../agent/guest/desk.ts';
import type { GuestDesk, Signer } from '../../../../agent/ports.ts';
import { RoamingDesk } from '../../../../agent/roaming/roaming-desk.ts';
import { RoamingWatch } from '../../../../agent/roaming/roaming-watch.ts';
import type { SisterAnswer, Sisters } from '../../../../agent/roaming-port.ts';
import { OpenWatch } from '../../../../agent/settlement/open-watch.ts';
import { openRequestFrom } from '../../../../captive-portal/page/wallet.ts';
import type { Address } from '../../../../protocol/address.ts';
import { type SignedAttach, signAttach } from '../../../../protocol/attach.ts';
import type { SignedCarriedChannel, SignedRoamingQuery } from '../../../../protocol/hand-over.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { keccak256Text } from '../../../../protocol/keccak.ts';
import type { OpenRequest } from '../../../../protocol/open-wire.ts';
import { addressFromSecretKey, signDigest } from '../../../../protocol/signature.ts';
import { type SignedVoucher, signVoucher } from '../../../../protocol/voucher.ts';
import { settled } from '../../../support/agent-scene.ts';
import { FakeChain } from '../../../support/fake-chain.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { FakeEnforcer } from '../../../support/fake-enforcer.ts';
import { FakeJournal } from '../../../support/fake-journal.ts';
import { FakeNeighbours } from '../../../support/fake-neighbours.ts';
import { FaultLine } from '../../../support/fault-line.ts';
import { NobleVerifier } from '../../../support/noble-verifier.ts';
import { LAPTOP, NOW_S, PAYEE, PHONE, PHONE_IP, testConfig, WLAN0 } from '../../core/support/story.ts';

const GUEST_KEY = new Uint8Array(32).fill(9);
const CONFIG = testConfig();
const { chainId, channels } = CONFIG.chain;
const DEPLOYMENT = { chainId, channels };
const LOG = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** What joins two routers by hand: it can be cut, and lose what comes back. */
export class Link {
  isUp = true;
  losesAnswers = false;
  readonly asked: SignedRoamingQuery[] = [];
  readonly brought: SignedCarriedChannel[] = [];
  /** What was given when it was asked for, whether it arrived or not. */
  readonly given: SignedCarriedChannel[] = [];

  to(other: () => Router): Sisters {
    const lost = { ok: false, message: 'lost', isAway: true } as const;
    const through = async <T>(work: () => Promise<SisterAnswer<T>>, isLossy: boolean): Promise<SisterAnswer<T>> => {
      if (!this.isUp) return lost;
      const answer = await work();
      return this.losesAnswers && isLossy ? lost : answer;
    };
    return {
      addresses: [other().address],
      lookUp: (query) => through(() => other().lent.lookUp(query), false),
      ask: (query) => {
        this.asked.push(query);
        return through(async () => {
          const answer = await other().lent.give(query);
          if (answer.ok) this.given.push(answer.value);
          return answer;
        }, true);
      },
      bring: (carried) => {
        this.brought.push(carried);
        return through(() => other().lent.take(carried), true);
      },
    };
  }
}

export class Router {
  readonly signer: Signer;
  readonly clock = new FakeClock(NOW_S);
  readonly enforcer = new FakeEnforcer(new FaultLine());
  journal: FakeJournal;
  readonly chain: FakeChain;
  driver!: Driver;
  desk!: GuestDesk;
  lent!: RoamingDesk;
  watch!: RoamingWatch;
  opens!: OpenWatch;
  #line = new FaultLine();
  /** Random numbers so far: no two are alike, as in life. */
  #drawn = 0;
  #sisters: Sisters = { addresses: [], lookUp: unreachable, ask: unreachable, bring: unreachable };

  constructor(fill: number, ledger: FakeChain['channels']) {
    const key = new Uint8Array(32).fill(fill);
    this.signer = { address: addressFromSecretKey(key), sign: (digest) => signDigest(digest, key) };
    this.journal = new FakeJournal(this.#line);
    this.chain = new FakeChain(this.#line, DEPLOYMENT, ledger);
    this.restart();
  }

  get address(): Address {
    return this.signer.address;
  }

  /** Of all sessions, whatever the agent knows of it. */
  get carried(): bigint {
    return [...this.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  }

  connect(sisters: Sisters): void {
    this.#sisters = sisters;
    this.restart();
  }

  /** The power goes, and somebody puts an old copy of the journal in its place. */
  putBack(oldCopy: FakeJournal): void {
    this.journal = oldCopy;
    this.enforcer.installed.clear();
    this.restart();
  }

  /** The n-th commit from now on is the last thing it does; it is on disk. */
  dieAtCommit(n: number): void {
    this.#line.failAt(n + 1, 'crash', (call) => call.startsWith('journal.commit'));
  }

  restart(): void {
    this.#line.failAt(Number.POSITIVE_INFINITY, 'crash');
    this.enforcer.forgetListeners();
    const { clock, enforcer, journal, chain, signer } = this;
    const neighbours = new FakeNeighbours([PHONE, LAPTOP].map((mac) => ({ mac, address: PHONE_IP, port: WLAN0 })));
    const edges = { config: CONFIG, clock, enforcer, journal, chain, neighbours, signer, log: LOG };
    const state = stateFromJournal(journal.load(), clock.monotonicMs(), clock.wall().unixS);
    const driver = new Driver(edges, state);
    const verifier = new NobleVerifier();
    const deps = { ...edges, driver, verifier, sisters: this.#sisters };
    this.driver = driver;
    this.lent = new RoamingDesk(deps);
    this.watch = new RoamingWatch({ ...deps, desk: this.lent });
    this.opens = new OpenWatch({ ...edges, driver, whereabouts: (id) => this.lent.whereabouts(id) });
    this.desk = createGuestDesk({
      ...edges,
      driver,
      verifier,
      roaming: this.lent,
      node: { device: signer.address, payee: PAYEE },
      guestPrefixes: () => [],
      random32: () => keccak256Text(`${signer.address} ${++this.#drawn}`),
      minuteOfDay: () => 0,
      notSelling: () => undefined,
    });
  }

  /** The guest opens a channel of 10,000 units here and gives 1,050 of them: the open fee and 100 MB. */
  async paid(): Promise<OpenRequest> {
    const quote = this.desk.quote();
    if ('notSelling' in quote) throw new Error(quote.notSelling);
    const { token, tokenName: name, tokenVersion: version } = CONFIG.chain;
    const made = openRequestFrom({
      terms: {
        quote,
        deployment: DEPLOYMENT,
        tokenDomain: { name, version, chainId, verifyingContract: token },
        packages: [],
        trialBytes: 0n,
        nowS: NOW_S,
      },
      secretKey: GUEST_KEY,
      deposit: 10_000n,
      firstAmount: 1_050n,
      mode: 'hold',
      salt: `0x${'5a'.repeat(32)}`,
    });
    if (!made.ok) throw new Error(made.reason);
    const result = await this.desk.open(PHONE, made.request);
    if (!result.ok) throw new Error(`${result.reason}: expected ${result.expected}, got ${result.got}`);
    return made.request;
  }

  voucher({ voucher: { channelId: id } }: OpenRequest, amount: bigint, ackBytes = 0n): SignedVoucher {
    return signVoucher(DEPLOYMENT, { channelId: id, amount, ackBytes }, GUEST_KEY);
  }

  /** What fits the quota of whoever of the guest's devices is served. */
  download(bytes: bigint): bigint {
    const { state } = this.driver;
    const session = sessionOfMac(state, LAPTOP) ?? sessionOfMac(state, PHONE);
    return session === undefined ? 0n : this.enforcer.carry(session.id, bytes, `down:${PHONE_IP}`);
  }

  async sample(): Promise<void> {
    const { counters } = await this.enforcer.read();
    this.driver.dispatch({ kind: 'counters-read', counters });
    this.driver.dispatch({ kind: 'tick', nowS: this.clock.wall().unixS });
    await settled();
  }

  /** What was paid out on chain, by channel. */
  get paidOut(): ReadonlyMap<Hex, bigint> {
    return new Map(this.chain.claims.map(({ id, units }) => [id, units]));
  }
}

export class TwoRouters {
  /** The chain that both see. */
  readonly ledger: FakeChain['channels'] = new Map();
  readonly a = new Router(7, this.ledger);
  readonly b = new Router(8, this.ledger);
  readonly link = new Link();

  constructor() {
    this.a.connect(this.link.to(() => this.b));
    this.b.connect(this.link.to(() => this.a));
  }

  other(router: Router): Router {
    return router === this.a ? this.b : this.a;
  }
}

/** What the guest's laptop answers to the challenge of a router. */
export async function answered(router: Router, mac: typeof LAPTOP): Promise<SignedAttach> {
  const asked = await router.desk.challenge(mac, addressFromSecretKey(GUEST_KEY));
  if (!asked.ok) throw new Error(`no challenge: ${asked.reason}`);
  return signAttach(DEPLOYMENT, { channelId: asked.channelId, challenge: asked.challenge }, GUEST_KEY);
}

function unreachable(): Promise<{ readonly ok: false; readonly message: string }> {
  return Promise.resolve({ ok: false, message: 'no sister' });
}
