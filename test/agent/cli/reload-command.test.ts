import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { ReloadResult } from '../../../agent/owner/config-reload.ts';
import { buildControl, listenControl } from '../../../agent/owner/control.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { runLine } from './recording-io.ts';
import { sampleOwner } from './sample-owner.ts';

async function reloading(t: Test, result: Partial<ReloadResult>) {
  const socketPath = join(temporaryDirectory(t), 'control.sock');
  const reload = () => ({ changed: [], restartNeeded: [], errors: [], ...result });
  const door = await listenControl(buildControl({ owner: sampleOwner([]), reload }), socketPath);
  t.teardown(() => door.close());
  return (...flags: readonly string[]) => runLine(['reload', ...flags, '--socket', socketPath]);
}

t.test('reload says what counts now and what needs a restart', async (t) => {
  const changed = await reloading(t, { changed: ['price.per_mb'], restartNeeded: ['portal.port'] });
  t.match(await changed(), {
    exitCode: 0,
    out: 'Counts now: price.per_mb.\nNeeds a restart (service shareagent restart): portal.port.',
  });
  t.equal(JSON.parse((await changed('--json')).out).changed[0], 'price.per_mb');
  t.match(await (await reloading(t, {}))(), { exitCode: 0, out: 'Nothing changed.' });
});

t.test('a file with an error is a failure, with every error', async (t) => {
  const errors = ['shareagent.price.per_mb: must be an SSP amount'];
  t.match(await (await reloading(t, { errors }))(), { exitCode: 1, out: `Nothing was applied:\n${errors[0]}` });
});

t.test('no agent to ask is exit code 3', async (t) => {
  t.match(await runLine(['reload', '--socket', join(temporaryDirectory(t), 'none')]), {
    exitCode: 3,
    err: /not running/,
  });
});
