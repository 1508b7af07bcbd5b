/** nft that is missing, too old, or fails half way: nothing is sold that cannot be counted, and nothing that was paid is lost. */
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { knockEverywhere } from '../lab/demo-arrival.ts';
import { passedAndMetered } from '../lab/passed.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { until } from '../lab/wait.ts';
import { readBeyond, sumOf } from '../lab/wire.ts';

const REAL = 'for dir in /usr/sbin /sbin /usr/bin; do [ -x "$dir/nft" ] && exec "$dir/nft" "$@"; done';
/** No interactive mode, as on OpenWrt, so that each change is a process which can fail on its own. */
const NO_DIALOGUE = 'for a; do [ "$a" = -i ] && exit 1; done';
const NFT = {
  whole: `#!/bin/sh\n${NO_DIALOGUE}\n${REAL}\n`,
  missing: undefined,
  old: '#!/bin/sh\n[ "$1" = --version ] && echo "nftables v0.9.0 (Fearless Fosdick)" && exit\necho "nft: invalid option -- j" >&2\nexit 1\n',
  /** Reads as ever, but no change gets through. */
  refusing: `#!/bin/sh\n${NO_DIALOGUE}\n[ "$2" = -f ] && grep -qv '"list"' "$3" && echo "Error: Could not process rule: Cannot allocate memory" >&2 && exit 1\n${REAL}\n`,
} as const;

const scene = await openTestScene();
const { guest, other, agent, world, lab } = scene;
const directory = lab.path('bin');
mkdirSync(directory);
// All that the agent's start needs, and no other directory in PATH that may hold an nft.
for (const name of ['ip', 'setpriv', 'sh', 'grep', 'bridge']) {
  const found = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'].find((place) => existsSync(`${place}/${name}`));
  if (found !== undefined) symlinkSync(`${found}/${name}`, `${directory}/${name}`);
}
const env = { PATH: directory };

function setNft(kind: keyof typeof NFT): void {
  const script = NFT[kind];
  if (script === undefined) {
    rmSync(`${directory}/nft`, { force: true });
    return;
  }
  writeFileSync(`${directory}/nft.new`, script, { mode: 0o755 });
  renameSync(`${directory}/nft.new`, `${directory}/nft`);
}

await guest.join();
await agent.stop();

for (const kind of ['missing', 'old'] as const) {
  t.test(`with an nft that is ${kind} the agent runs, says so, and sells nothing`, async (t) => {
    setNft(kind);
    await agent.start(env);
    t.teardown(() => agent.stop());
    await until('the agent to say what is wrong', 10_000, async () =>
      /nft/.test((await agent.status()).notSelling ?? ''),
    );
    t.match((await agent.status()).notSelling, /nft/);
    await t.rejects(guest.buy(5n), 'the guest is told, and pays nothing');
    await knockEverywhere(guest);
    t.equal(sumOf(await readBeyond(world.internet, guest.host.index)), 0n);
  });
}

t.test('when nft is back WiFi is sold without a restart of the agent', async (t) => {
  setNft('missing');
  await agent.start(env);
  await until('the agent to miss nft', 10_000, async () => (await agent.status()).notSelling !== undefined);
  setNft('whole');
  await until('the agent to sell', 20_000, async () => (await agent.status()).notSelling === undefined);
  await guest.buy(5n);
  t.match(await guest.download(4, 1_000_000), { isIntact: true });
});

t.test('while every change fails what runs goes on, and a top-up is served once changes succeed again', async (t) => {
  setNft('refusing');
  const before = await guest.portal.view();
  const outcome = await guest.topUp(3n).catch((error: unknown) => error);
  t.match(await guest.download(4, 500_000), { isIntact: true }, 'what was paid before is served');
  await knockEverywhere(await otherJoined());
  t.equal(sumOf(await readBeyond(world.internet, other.host.index)), 0n, 'an unpaid guest gets nothing');
  setNft('whole');
  const view = await guest.viewWhere(
    'the top-up to count',
    15_000,
    ({ creditUnits }) => creditUnits > before.creditUnits,
  );
  t.equal(view.creditUnits, before.creditUnits + 3_000n, `answered at first: ${String(outcome)}`);
  t.match(await guest.download(4, 5_000_000), { isIntact: true });
  const { passed, metered } = await passedAndMetered(scene, guest);
  t.equal(metered, passed);
});

async function otherJoined() {
  await other.join();
  return other;
}
