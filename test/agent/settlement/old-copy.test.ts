/** The whole way of a journal that was copied and put back: real SQLite files, a kernel and a chain that go on meanwhile. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import { journalHealth } from '../../../agent/owner/journal-health.ts';
import type { Journal } from '../../../agent/ports.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

const MB = 1_000_000n;

class Router {
  readonly scene = new AgentScene();
  readonly path: string;

  constructor(folder: string) {
    this.path = join(folder, 'ledger.db');
    this.start();
  }

  get journal(): SqliteJournal {
    return this.scene.journal as unknown as SqliteJournal;
  }

  start(): void {
    (this.scene as unknown as { journal: Journal }).journal = new SqliteJournal({ path: this.path });
    this.scene.restart();
  }

  async stop(): Promise<void> {
    await this.scene.driver.close();
    this.journal.close();
  }

  /** The power goes; whatever the kernel held is gone. */
  async reboot(): Promise<void> {
    await this.stop();
    this.scene.enforcer.installed.clear();
  }

  get passed(): bigint {
    return [...this.scene.enforcer.passed.values()].reduce((sum, bytes) => sum + bytes, 0n);
  }
}

/** SQLite's disk is a real one: what follows a commit follows when it is done. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000 && !isSo(); turn++) await settled();
}

/** A guest has opened for 1,050 and used 20 of 100 MB when the copy was made; then paid up to 2,050, used 120 MB, and 650 were claimed. */
async function restored(folder: string) {
  const router = new Router(folder);
  const { scene } = router;
  const request = scene.openRequest();
  t.match(await scene.desk.open(PHONE, request), { ok: true });
  scene.download(20n * MB);
  await scene.sample();
  await router.stop();
  copyFileSync(router.path, `${router.path}.backup`);
  router.start();
  await scene.driver.reconciled();
  t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n, 20n * MB)), { ok: true });
  t.equal(scene.download(100n * MB), 100n * MB);
  await scene.sample();
  const id = request.voucher.channelId;
  scene.chain.channels.set(id, { deposit: 10_000n, claimed: 650n, exitAt: 0n, isClosed: false });
  await router.reboot();
  copyFileSync(`${router.path}.backup`, router.path);
  router.start();
  await scene.driver.reconciled();
  return { router, scene, request, id };
}

t.test('a guest is served again once the chain was asked, and every byte is paid once', async (t) => {
  const { router, scene, request } = await restored(t.testdir());
  const { lives } = router.journal.load();
  t.match(journalHealth(scene.driver.state, lives), {
    check: 'journal',
    ok: false,
    message:
      /older copy \(it was opened or closed 2 times, the mark beside it says 4\): 1 open channel\(s\) of it, 1 of/,
  });
  t.match(scene.desk.view(PHONE), { phase: 'pending', creditUnits: 0n });
  t.equal(scene.download(MB), 0n);
  t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 1_150n)), { ok: false, reason: 'channel-not-open' });
  await scene.opens.lookUp();
  await settled();
  t.match(scene.desk.view(PHONE), { phase: 'active', chargedUnits: 650n, creditUnits: 1_050n });
  t.match(journalHealth(scene.driver.state), { message: /1 open channel\(s\) of it, 0 of/ });
  // The page goes on from what it has signed: its next voucher says what it has seen.
  t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 3_050n, 120n * MB)), {
    ok: true,
    view: { chargedUnits: 1_250n, bytesRemaining: 180n * MB },
  });
  t.equal(scene.download(500n * MB), 180n * MB);
  await scene.sample();
  t.equal(router.passed, 300n * MB, 'what was paid for, in both lives together');
  await scene.desk.leave(PHONE);
  await until(() => journalHealth(scene.driver.state) === undefined);
  t.match(scene.chain.claims, [{ units: 3_050n }]);
  t.equal(journalHealth(scene.driver.state), undefined);
  await router.stop();
});

t.test(
  'a guest who shows less than it has seen gets at most what no claim has proven: never more than the copy forgot',
  async (t) => {
    const { router, scene, request } = await restored(t.testdir());
    await scene.opens.lookUp();
    t.match(await scene.desk.voucher(PHONE, scene.voucher(request, 2_050n, 20n * MB)), { ok: true });
    // 650 were claimed: 60 MB. 120 MB had passed.
    t.equal(scene.download(500n * MB), 140n * MB);
    t.equal(router.passed, 260n * MB, '60 MB more than was paid, not 100');
    await router.stop();
  },
);

t.test(
  'it goes on so after another start: nothing before the chain was asked, what was raised stays raised',
  async (t) => {
    const { router, scene, request } = await restored(t.testdir());
    await scene.opens.lookUp();
    await scene.desk.voucher(PHONE, scene.voucher(request, 3_050n, 120n * MB));
    await router.reboot();
    router.start();
    await scene.driver.reconciled();
    t.equal(router.journal.load().lives, undefined);
    t.equal(scene.download(MB), 0n);
    await scene.opens.lookUp();
    await settled();
    t.match(scene.desk.view(PHONE), { phase: 'active', chargedUnits: 1_250n, bytesRemaining: 180n * MB });
    await router.stop();
  },
);

t.test('a channel that was closed since is settled for what the chain has paid', async (t) => {
  const { router, scene, id } = await restored(t.testdir());
  scene.chain.channels.set(id, { deposit: 10_000n, claimed: 1_250n, exitAt: 0n, isClosed: true });
  await scene.opens.lookUp();
  await until(() => scene.driver.state.channels.get(id)?.phase === 'settled');
  t.match(scene.driver.state.channels.get(id), { phase: 'settled', closeUnits: 1_250n });
  t.equal(scene.download(MB), 0n);
  await router.stop();
});

t.test('a chain that holds less than the voucher, or does not answer, is waited for', async (t) => {
  const { router, scene, id } = await restored(t.testdir());
  scene.chain.isReachable = false;
  await scene.opens.lookUp();
  scene.chain.isReachable = true;
  scene.chain.channels.set(id, { deposit: 1_049n, claimed: 0n, exitAt: 0n, isClosed: false });
  await scene.opens.lookUp();
  t.equal(scene.desk.view(PHONE).phase, 'pending');
  await router.stop();
});
