/** Delivers proofs in a process of its own that dies where it is told: `node delivery-main.ts CONFIG NOW_S LABEL`. */
import { flushCompileCache } from 'node:module';
import { configOf } from '../../../agent/cli/enrol-command.ts';
import { deliver } from './delivery.ts';

const [configPath = '', nowS = '', label = ''] = process.argv.slice(2);
await deliver(configOf(configPath), BigInt(nowS), (step) => {
  if (step !== label) return;
  flushCompileCache();
  process.kill(process.pid, 'SIGKILL');
});
