/**
 * A month without a network, within the default 2 MiB of flash: a real SQLite journal, real signatures, new guests every day,
 * ten-minute intervals. Then the network is back: everything is delivered once to a real collector, to the byte.
 *
 * The whole month takes 20 s of CPU: SHAREAGENT_LONG_TESTS=1 runs it. Otherwise it is a week, and a week's part of the flash.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import type { AgentEvent } from '../../../agent/core/events.ts';
import { onProof } from '../../../agent/core/on-proof.ts';
import { stateFromJournal } from '../../../agent/core/restore.ts';
import type { AgentState, LiveChannel, LiveSession } from '../../../agent/core/state.ts';
import type { Driver } from '../../../agent/driver.ts';
import type { ProofUploader, Signer } from '../../../agent/ports.ts';
import { ProofMaker } from '../../../agent/proofs/proof-maker.ts';
import { loadSignatures } from '../../../fleet/signatures.ts';
import { channelId } from '../../../protocol/channel.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { voucherDigest } from '../../../protocol/voucher.ts';
import { COLLECTOR, type OpenCollector, openCollector } from '../../fleet/open-collector.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { CHANNELS, REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';
import { NOW_S, testChannel, testConfig } from '../core/support/story.ts';

t.setTimeout(290_000);

const DAYS = process.env['SHAREAGENT_LONG_TESTS'] === '1' ? 30 : 7;
const INTERVAL_S = 600;
const PER_DAY = 86_400 / INTERVAL_S;
const GUESTS_PER_DAY = 8;
const BUDGET = Math.floor((2 * 1024 * 1024 * DAYS) / 30);
/** Adding up what waits is most of the work; the agent itself does it at each interval. */
const LOOK_EVERY = 9;
const NO_SIGNATURE = `0x${'00'.repeat(64)}` as const;
const DEVICE = testKey('router');
const DEPLOYMENT = { ...CHANNELS, ...REGISTRY };

const { sign } = await loadSignatures();
const signer: Signer = { address: DEVICE.address, sign: (digest) => sign(digest, DEVICE.secretKey) };
/** Of the guests of one day. */
const keys = Array.from({ length: GUESTS_PER_DAY }, (_, i) => testKey(`guest ${i}`));

/** What the agent's driver does for the proofs, and no more: state of sessions and channels, and the journal's commits. */
class Ledger {
  readonly journal: SqliteJournal;
  readonly clock = new FakeClock(NOW_S);
  readonly logged: string[] = [];
  state: AgentState;
  up = 0n;
  down = 0n;

  constructor(path: string) {
    this.journal = new SqliteJournal({ path });
    this.state = stateFromJournal(this.journal.load(), this.clock.monotonicMs(), NOW_S);
  }

  isDone(): boolean {
    const { signed, drafts } = this.journal.waiting();
    return signed + drafts === 0;
  }

  get driver(): Driver {
    const ledger = this;
    const driver = {
      get state() {
        return ledger.state;
      },
      commit: (entries: Parameters<SqliteJournal['commit']>[0]) => this.journal.commit(entries),
      dispatch: (event: Parameters<Driver['dispatch']>[0]) => {
        const timed = { ...event, nowMs: this.clock.monotonicMs() } as AgentEvent;
        this.state = onProof(this.state, timed as Parameters<typeof onProof>[1]).state;
      },
      // The mark of a proven interval is one row either way.
      sessionEntry: (_session: LiveSession, proven: { downBytes: bigint }) => ({
        kind: 'gifts',
        dayS: 0n,
        bytes: proven.downBytes,
      }),
    };
    return driver as unknown as Driver;
  }

  maker(uploader?: ProofUploader): ProofMaker {
    const log = (_details: object, event: string) => void this.logged.push(event);
    const { chain, proofs, ...config } = testConfig();
    return new ProofMaker({
      config: { ...config, chain: { ...chain, ...DEPLOYMENT }, proofs: { ...proofs, budgetBytes: BigInt(BUDGET) } },
      driver: this.driver,
      journal: this.journal,
      clock: this.clock,
      signer,
      retryDelayMs: () => 60_000,
      log: { info: log, warn: log, error: log },
      ...(uploader === undefined ? {} : { uploader }),
    });
  }

  /** The guests of the day before have gone; new ones come, each with a channel. */
  newDay(day: number): void {
    const channels = new Map<Hex, LiveChannel>();
    const sessions = new Map<number, LiveSession>();
    for (const [i, { address }] of keys.entries()) {
      const config = {
        ...testChannel().config,
        payer: address,
        signer: address,
        device: DEVICE.address,
        expiry: NOW_S + 100n * 86_400n,
        salt: `0x${(day * 100 + i).toString(16).padStart(64, '0')}` as const,
      };
      const id = channelId(CHANNELS, config);
      const voucher = { channelId: id, amount: 0n, ackBytes: 0n, signature: `0x${'00'.repeat(64)}` as const };
      const channel = testChannel({ id, config, phase: 'active', deposit: 10_000_000n, openFee: 0n, voucher });
      channels.set(id, { ...channel, closeAttempts: 0, nextCloseMs: 0 });
      const nothing = { downBytes: 0n, upBytes: 0n };
      sessions.set(day * 100 + i, {
        id: day * 100 + i,
        startedMs: 0,
        stations: [],
        channelId: id,
        usage: { ...nothing, onlineMs: 0 },
        trialBytes: 0n,
        proven: { ...nothing, units: 0n },
        counters: new Map(),
        storedBytes: 0n,
        storedAtMs: 0,
      });
    }
    this.state = { ...this.state, channels, sessions };
  }

  /** Three guests use some bytes and pay for them. */
  use(day: number, slot: number): void {
    const sessions = new Map(this.state.sessions);
    const channels = new Map(this.state.channels);
    for (const i of [slot, slot + 1, slot + 3].map((n) => n % GUESTS_PER_DAY)) {
      const session = sessions.get(day * 100 + i) as LiveSession;
      const [down, up] = [BigInt(1_000_003 + ((slot * 7919) % 5_000_000)), BigInt(70_001 + slot)];
      this.down += down;
      this.up += up;
      const { usage } = session;
      const now = { ...usage, downBytes: usage.downBytes + down, upBytes: usage.upBytes + up };
      sessions.set(session.id, { ...session, usage: now });
      const channel = channels.get(session.channelId as Hex) as LiveChannel;
      const ackBytes = now.downBytes + now.upBytes;
      const unsigned = { channelId: channel.id, amount: ackBytes / 10_000n + 1_000n, ackBytes };
      const signature = sign(voucherDigest(CHANNELS, unsigned), (keys[i] as { secretKey: Uint8Array }).secretKey);
      channels.set(channel.id, { ...channel, voucher: { ...unsigned, signature } });
    }
    this.state = { ...this.state, sessions, channels };
  }
}

/** All days of it. @returns the most bytes that ever waited */
async function goOffline(ledger: Ledger): Promise<number> {
  const away: ProofUploader = {
    upload: () => Promise.resolve({ ok: false, message: 'no route' }),
    head: () => Promise.resolve({ ok: false, message: 'no route' }),
  };
  const maker = ledger.maker(away);
  let most = 0;
  for (let day = 0; day < DAYS; day++) {
    ledger.newDay(day);
    for (let slot = 0; slot < PER_DAY; slot++) {
      ledger.use(day, slot);
      ledger.clock.ms += INTERVAL_S * 1000;
      await maker.closeInterval();
      if (slot % LOOK_EVERY !== 0) continue;
      const { signedBytes, draftBytes } = ledger.journal.waiting();
      if (signedBytes + draftBytes > most) most = signedBytes + draftBytes;
    }
  }
  await maker.close();
  return most;
}

/** A collector behind a line that loses each hundredth answer. */
function lossy({ intake }: OpenCollector): ProofUploader {
  let answers = 0;
  return {
    head: () => Promise.resolve({ ok: true }),
    upload: async (body) => {
      const taken = await intake.take(body, 'router');
      if (!taken.ok) return { ok: false, message: taken.reason };
      const { digest: proof, verdict, receivedS } = taken;
      if (++answers % 100 === 0) return { ok: false, message: 'the answer was lost' };
      return {
        ok: true,
        receipt: { collector: COLLECTOR.address, proof, verdict, receivedS, signature: NO_SIGNATURE },
      };
    },
  };
}

async function deliver(ledger: Ledger, uploader: ProofUploader): Promise<void> {
  const maker = ledger.maker(uploader);
  for (let tries = 0; tries < 1000 && !ledger.isDone(); tries++) {
    ledger.clock.ms += 60_000;
    const before = ledger.logged.length;
    maker.poll();
    const hasStopped = () => ledger.logged.indexOf('proof-not-uploaded', before) >= 0;
    while (!hasStopped() && !ledger.isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await maker.close();
}

t.test(`${DAYS} days offline fit ${BUDGET} bytes, nothing is dropped, and all of it is delivered once`, async (t) => {
  // In memory where there is such a place: thousands of syncs measure the disk, and say nothing of the budget.
  const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'month-offline-'));
  const ledger = new Ledger(join(directory, 'journal.db'));
  const collector = await openCollector(join(directory, 'collector'), [], {
    deployment: DEPLOYMENT,
    devices: () => ({ isRevoked: false, linkBytesPerS: 125_000_000n }),
    nowS: () => ledger.clock.wall().unixS,
    limits: { device: { perS: 1e6, burst: 1e6 } },
  });
  t.teardown(async () => {
    ledger.journal.close();
    await collector.close();
    rmSync(directory, { recursive: true });
  });
  const most = await goOffline(ledger);
  t.ok(most <= BUDGET, `at most ${most} bytes waited`);
  t.ok(most > BUDGET / 2, 'and the budget was used');
  t.ok(ledger.logged.includes('intervals-merged'));
  t.notOk(ledger.logged.includes('proofs-over-budget'));
  const { drafts } = ledger.journal.waiting();
  const offline = process.cpuUsage();
  await deliver(ledger, lossy(collector));
  t.match(ledger.journal.waiting(), { signed: 0, drafts: 0 });
  const rows = collector.store.verdicts(DEVICE.address, 0n, 10_000);
  t.equal(rows.length, drafts, 'each interval that was left, once');
  t.strictSame([...new Set(rows.map(({ verdict }) => verdict))], ['valid']);
  const sum = (of: (row: (typeof rows)[number]) => bigint) => rows.reduce((total, row) => total + of(row), 0n);
  t.strictSame([sum(({ bytesDown }) => bytesDown), sum(({ bytesUp }) => bytesUp)], [ledger.down, ledger.up]);
  const cpuS = ({ user, system }: NodeJS.CpuUsage) => ((user + system) / 1e6).toFixed(1);
  const figures = `${DAYS * PER_DAY} intervals, ${DAYS * GUESTS_PER_DAY} channels: ${drafts} proofs, at most ${most} bytes`;
  t.comment(`${figures}, CPU ${cpuS(offline)} s offline, ${cpuS(process.cpuUsage(offline))} s to deliver`);
});
