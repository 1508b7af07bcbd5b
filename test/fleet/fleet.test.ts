import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const FLEET = fileURLToPath(new URL('../../fleet/fleet.ts', import.meta.url));

t.test('a command that fleet does not have is refused with those that it has', (t) => {
  // tap's own options are for the test, not for what it starts.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const run = spawnSync(process.execPath, [FLEET, 'simulatte'], { env, encoding: 'utf8' });
  t.match(run, {
    status: 2,
    stdout: '',
    stderr: /no command "simulatte"[\s\S]* enrol [\s\S]* evidence [\s\S]* simulate /,
  });
  t.end();
});
