/** `shareagent identity rotate` in a process of its own that dies where it is told: `node rotation-main.ts CONFIG STEP`. */
import { flushCompileCache } from 'node:module';
import { configOf } from '../../../agent/cli/enrol-command.ts';
import { rotateKey } from '../../../agent/cli/rotate-key.ts';

const [configPath = '', step = ''] = process.argv.slice(2);
await rotateKey(configOf(configPath), false, (at) => {
  if (at !== step) return;
  flushCompileCache();
  process.kill(process.pid, 'SIGKILL');
});
