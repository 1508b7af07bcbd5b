/** A journal on a full disk (1 MiB of tmpfs), with a real chain: nothing new is sold and why is said, what was sold stays. */
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { channelId } from '../../protocol/channel.ts';
import { PHONE } from '../agent/core/support/story.ts';
import { type Account, startAnvilWithContracts } from '../support/anvil.ts';
import { ChainWorld } from '../support/chain-world.ts';
import { createScene } from '../support/channel-scene.ts';
import { runCommand } from '../support/run-command.ts';

const FIRST = 1_050n;
const SECOND = 2_050n;
const dir = mkdtempSync(join(tmpdir(), 'full-disk-'));
const ballast = join(dir, 'ballast');
await must('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir);
const anvil = await startAnvilWithContracts();
const [guest, payee, device] = anvil.accounts as [Account, Account, Account];
const salt = `0x${'5a'.repeat(32)}` as const;
const world = new ChainWorld({ anvil, guest, payee, device, journalPath: join(dir, 'ledger.db'), salt });
t.teardown(async () => {
  world.kill();
  await anvil.stop();
  await must('umount', dir);
  rmSync(dir, { recursive: true });
});

t.test(
  'on a full disk no voucher is taken and nothing is sold; what was paid is served, kept and claimed',
  async (t) => {
    const request = world.openRequest(FIRST);
    const id = channelId(anvil.deployment, request.config);
    const channel = () => world.driver.state.channels.get(id);
    await world.until(
      'open',
      () => world.desk.open(PHONE, request),
      () => channel()?.phase === 'active',
    );
    world.download(50_000_000n);
    fill();

    let refusal = await world.desk.voucher(PHONE, world.voucher(id, SECOND));
    // The log of the file may have had room for a few more.
    for (let amount = SECOND + 1n; refusal.ok && amount < SECOND + 500n; amount++) {
      refusal = await world.desk.voucher(PHONE, world.voucher(id, amount));
    }
    t.match(refusal, { ok: false, reason: 'storage-failed', got: /full/i });
    t.match(world.desk.quote(), { notSelling: /journal cannot be written/ });
    const credit = channel()?.voucher.amount ?? 0n;
    const before = world.passed();
    world.download(10_000_000n);
    t.equal(world.passed() - before, 10_000_000n, 'what was paid for still passes');

    world.kill();
    rmSync(ballast);
    world.start();
    await world.driver.reconciled();
    await world.look();
    t.equal(channel()?.voucher.amount, credit, 'what was acknowledged before is still known, and nothing else');
    await world.until(
      'leave',
      () => world.desk.leave(PHONE),
      () => channel()?.phase === 'settled',
    );
    const onChain = await createScene(anvil).channel(request.config);
    t.match(onChain, { isClosed: true, claimed: 50n + 600n });
  },
);

/** Every byte that is left. */
function fill(): void {
  const { bsize, bavail } = statfsSync(dir);
  writeFileSync(ballast, Buffer.alloc(bsize * bavail));
}

async function must(...command: readonly string[]): Promise<void> {
  const { exit, output } = await runCommand(command, { cwd: '/', maxMs: 10_000, print: () => undefined });
  if (exit !== 'exit code 0') throw new Error(`${command.join(' ')}: ${exit}: ${output}`);
}
