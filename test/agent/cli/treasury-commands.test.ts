/** `shareagent pass` and `shareagent wallet` over a real control socket: what is asked, shown, written, and refused. */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildControl, listenControl } from '../../../agent/owner/control.ts';
import { addressFromSecretKey } from '../../../protocol/signature.ts';
import { ScriptedTreasury, VIEW } from '../../support/scripted-treasury.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runLine } from './recording-io.ts';
import { sampleEarnings } from './sample-earnings.ts';
import { sampleOwner } from './sample-owner.ts';

type Test = Parameters<typeof temporaryDirectory>[0];
const OWNER = `0x${'0e'.repeat(20)}`;
const OTHER = `0x${'0f'.repeat(20)}`;

async function scene(t: Test) {
  const directory = temporaryDirectory(t);
  const socketPath = join(directory, 'c.sock');
  const treasury = new ScriptedTreasury();
  const listening = await listenControl(
    buildControl({ owner: sampleOwner(), earnings: sampleEarnings, treasury }),
    socketPath,
  );
  t.teardown(() => listening.close());
  const config = join(directory, 'shareagent');
  mkdirSync(join(directory, 'keys'));
  const keyPath = join(directory, 'keys/device.key');
  const text = readFileSync(join(import.meta.dirname, '../../../openwrt/files/etc/config/shareagent'), 'utf8');
  writeFileSync(config, `${text}\nconfig storage 'storage'\n\toption device_key '${keyPath}'\n`);
  const run = (words: readonly string[], answers?: readonly string[]) => {
    const left = [...(answers ?? [])];
    const ask = () => Promise.resolve(left.shift() ?? '');
    return runLine([...words, '--socket', socketPath, '--config', config], answers === undefined ? {} : { ask });
  };
  return { directory, treasury, keyPath, run };
}

t.test('passes are made only after a yes, or for a script that says so', async (t) => {
  const { treasury, run } = await scene(t);
  const create = ['pass', 'create', '--count', '50', '--value', '5SSP'];
  t.match(await run(create, ['no']), { exitCode: 1, err: /Nothing was made/ });
  t.match(await run(create), { exitCode: 2, err: /--yes/ });
  t.strictSame(treasury.asked, []);
  t.match(await run(create, ['yes']), { exitCode: 0, out: /ABCDE-FGHJK-MNPQR-STVWX +5 SSP +5 SSP +funding/ });
  t.match(await run([...create, '--yes']), { exitCode: 0 });
  t.strictSame(treasury.asked, [
    ['create', 50, 50_000n],
    ['create', 50, 50_000n],
  ]);
  treasury.created = { ok: false, reason: 'not-enough-ssp', message: "the node's wallet holds 0 units" };
  t.match(await run([...create, '--yes']), { exitCode: 1, err: /holds 0 units/ });
});

t.test('nonsense is refused before anybody is asked', async (t) => {
  const { treasury, run } = await scene(t);
  for (const words of [
    ['pass', 'create', '--count', '0', '--value', '5SSP'],
    ['pass', 'create', '--count', '101', '--value', '5SSP'],
    ['pass', 'create', '--count', '5'],
    ['pass', 'create', '--count', '5', '--value', '0SSP'],
    ['pass', 'burn'],
    ['pass', 'list', 'all'],
    ['wallet', 'withdraw', 'much'],
    ['wallet', 'withdraw', '5', '6'],
    ['wallet', 'export'],
    ['wallet', 'owner', '0x12'],
    ['wallet', 'spend'],
  ]) {
    t.match(await run(words, ['yes']), { exitCode: 2 }, words.join(' '));
  }
  t.strictSame(treasury.asked, []);
});

t.test('the sheet has a code and a QR for each pass that is ready, and nothing that loads or runs', async (t) => {
  const { directory, treasury, run } = await scene(t);
  const file = join(directory, 'sheet.html');
  t.match(await run(['pass', 'list']), { out: /7 +ABCDE-FGHJK-MNPQR-STVWX +5 SSP +5 SSP +ready/ });
  t.match(await run(['pass', 'sheet', '--out', file]), { exitCode: 0, out: /No\. 7 to 7, in .* Next time: --from 8/ });
  const again = ['pass', 'sheet', '--out', join(directory, 'again.html'), '--from'];
  t.match(await run([...again, '8']), { exitCode: 1, err: /no pass that is ready/ }, 'those before may be sold');
  t.match(await run([...again, '0']), { exitCode: 2, err: /--from must be the number of a pass/ });
  t.match(await run([...again, '7']), { exitCode: 0 });
  const html = readFileSync(file, 'utf8');
  t.match(html, /<svg[^>]*>[\s\S]*ABCDE-FGHJK-MNPQR-STVWX/);
  t.notMatch(html, /<script|https?:\/\//);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.match(await run(['pass', 'sheet', '--out', file]), { exitCode: 1, err: /cannot be written/ }, 'never over another');
  treasury.listed = [];
  t.match(await run(['pass', 'sheet']), { exitCode: 1, err: /no pass that is ready/ });
  t.match(await run(['pass']), { out: /No passes yet/ });
});

t.test('the wallet shows what is held and owed, and says when gas is short', async (t) => {
  const { treasury, run } = await scene(t);
  const shown = await run(['wallet']);
  for (const part of ['12 SSP', '1.5 coin', '1 SSP of guests', '0.1234 SSP of it', '3 SSP waits', OWNER])
    t.match(shown.out, part);
  const { owner: _, units: __, ...poor } = VIEW;
  treasury.seen = { ...poor, coinWei: 1n, trouble: 'the node does not answer' };
  const short = await run(['wallet']);
  for (const part of ['not known', 'no channel is opened', 'not set', 'trouble']) t.match(short.out, part);
  t.match(await run(['wallet', 'withdraw']), { exitCode: 1, err: /no address yet/ });
  t.match(await run(['wallet', 'receive']), { out: /█[\s\S]*0xdede/ });
});

t.test('a withdrawal names both receivers, and says what was sent and what not', async (t) => {
  const { treasury, run } = await scene(t);
  t.match(await run(['wallet', 'withdraw'], ['n']), { exitCode: 1, err: /Nothing was sent/ });
  t.strictSame(treasury.asked, []);
  t.match(await run(['wallet', 'withdraw'], ['yes']), { exitCode: 0, out: /nothing to withdraw/ });
  const move = { what: 'own', to: OWNER, units: 50_000n, tx: `0x${'7e'.repeat(32)}`, feeWei: 5n } as const;
  treasury.withdrawn = { ok: true, moves: [{ ...move, to: `0x${'0e'.repeat(20)}` }], trouble: 'the node is away' };
  const done = await run(['wallet', 'withdraw', '5SSP', '--yes']);
  t.match(done, { exitCode: 1, out: /5 SSP \(own\) to 0x0e0e[\s\S]*Not done: the node is away/ });
  t.strictSame(treasury.asked, [
    ['withdraw', undefined],
    ['withdraw', 50_000n],
  ]);
});

t.test('the address of the owner is set once; to change it one must know it, at a terminal', async (t) => {
  const { run } = await scene(t);
  t.match(await run(['wallet', 'owner']), { out: /not set/ });
  t.match(await run(['wallet', 'owner', OWNER]), { exitCode: 0 });
  t.match(await run(['wallet', 'owner', OWNER]), { exitCode: 0 }, 'the same once more is no change');
  t.match(await run(['wallet', 'owner', OTHER, '--yes']), { exitCode: 2, err: /at a terminal/ });
  t.match(await run(['wallet', 'owner', OTHER], [OTHER]), { exitCode: 1, err: /Nothing was changed/ });
  t.match(await run(['wallet', 'owner']), { out: OWNER });
  t.match(await run(['wallet', 'owner', OTHER], [OWNER]), { exitCode: 0 });
  t.match(await run(['wallet', 'owner']), { out: OTHER });
});

t.test('the key goes out under a passphrase and comes back where there is none', async (t) => {
  const { directory, keyPath, run } = await scene(t);
  const backup = join(directory, 'backup.json');
  t.match(await run(['wallet', 'export', backup], ['long enough', 'long enough']), { exitCode: 1, err: /no key at/ });
  const key = new Uint8Array(32).fill(7);
  writeFileSync(keyPath, `0x${'07'.repeat(32)}\n`, { mode: 0o600 });
  t.match(await run(['wallet', 'export', backup], ['long enough', 'long enuff']), { exitCode: 1, err: /differ/ });
  t.match(await run(['wallet', 'export', backup], ['short', 'short']), { exitCode: 1, err: /10 characters/ });
  t.notOk(existsSync(backup));
  t.match(await run(['wallet', 'export', backup], ['long enough', 'long enough']), {
    exitCode: 0,
    out: addressFromSecretKey(key),
  });
  t.equal(statSync(backup).mode & 0o777, 0o600);
  t.match(
    await run(['wallet', 'restore', backup], ['long enough']),
    { exitCode: 1, err: /already/ },
    'never over a key',
  );
  const { unlinkSync } = await import('node:fs');
  unlinkSync(keyPath);
  t.match(await run(['wallet', 'restore', backup], ['wrong enough']), { exitCode: 1, err: /passphrase is wrong/ });
  const words = join(directory, 'words');
  writeFileSync(words, 'long enough\n');
  t.match(await run(['wallet', 'restore', backup, '--passphrase-file', words]), { exitCode: 0 });
  t.equal(readFileSync(keyPath, 'utf8'), `0x${'07'.repeat(32)}\n`);
  t.equal(statSync(keyPath).mode & 0o777, 0o600);
});

t.test('the faucet sends what is asked for, or says on which chains it works', async (t) => {
  const { treasury, run } = await scene(t);
  const to = OTHER as `0x${string}`;
  t.match(await run(['faucet', to]), { exitCode: 1, err: /this router is on chain 1/ });
  treasury.given = { ok: true, to, units: 50_000n, tx: `0x${'7e'.repeat(32)}`, feeWei: 3n };
  t.match(await run(['faucet', to, '--value', '5SSP']), { exitCode: 0, out: /5 SSP to 0x0f.* in 0x7e/ });
  t.strictSame(treasury.asked, [
    ['faucet', to, 100_000n],
    ['faucet', to, 50_000n],
  ]);
  for (const words of [['faucet'], ['faucet', '0x12'], ['faucet', to, to], ['faucet', to, '--value', '0SSP']]) {
    t.match(await run(words), { exitCode: 2 }, words.join(' '));
  }
  t.equal(treasury.asked.length, 2);
});

t.test('unfunded passes are funded only after a yes', async (t) => {
  const { treasury, run } = await scene(t);
  t.match(await run(['pass', 'fund'], ['no']), { exitCode: 1, err: /Nothing was sent/ });
  t.strictSame(treasury.asked, []);
  t.match(await run(['pass', 'fund', '--yes']), { exitCode: 0, out: /ABCDE-FGHJK-MNPQR-STVWX .* funding/ });
  treasury.created = { ok: true, passes: [] };
  t.match(await run(['pass', 'fund'], ['yes']), { exitCode: 0, out: /No pass is unfunded/ });
  treasury.created = { ok: false, reason: 'busy', message: 'other passes are being made' };
  t.match(await run(['pass', 'fund', '--yes']), { exitCode: 1, err: /other passes are being made/ });
});

t.test('a key that another process holds is neither exported nor restored here', async (t) => {
  const { directory, run } = await scene(t);
  const config = join(directory, 'shareagent');
  writeFileSync(config, `${readFileSync(config, 'utf8')}\toption signer_socket '/run/signer.sock'\n`);
  for (const verb of ['export', 'restore']) {
    t.match(await run(['wallet', verb, join(directory, 'backup')]), {
      exitCode: 1,
      err: /held by the process at .run.signer.sock/,
    });
  }
});
