/**
 * A collector's intake as a process of its own that dies where it is told: `node intake-main.ts DIRECTORY STEP BATCH`. Takes
 * uploads of one router in groups of three over IPC, and tells which were acknowledged.
 */
import { join } from 'node:path';
import { catchUp } from '../../fleet/catch-up.ts';
import { ProofIntake } from '../../fleet/proof-intake.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import { DEPLOYMENT, NOW_S } from './fake-router.ts';

const [directory = '', step = '', deathAt = ''] = process.argv.slice(2);
const log = await SegmentLog.open({ directory: join(directory, 'log') });
const store = new SqliteStore(join(directory, 'store.db'));
await catchUp(store, log);
let passed = 0;
const intake = new ProofIntake({
  log,
  store,
  deployment: DEPLOYMENT,
  devices: () => ({ isRevoked: false, linkBytesPerS: 125_000_000n }),
  nowS: () => NOW_S,
  monotonicMs: () => performance.now(),
  lateAfterS: 37n * 86_400n,
  onFailure: (error) => {
    throw error;
  },
  atStep: (name) => {
    if (name === step) passed += 1;
    if (name === step && passed === Number(deathAt)) process.kill(process.pid, 'SIGKILL');
  },
});
process.on('message', async (bodies: readonly string[]) => {
  const results = await intake.takeAll(
    bodies.map((body) => Buffer.from(body, 'base64')),
    'test',
  );
  process.send?.(results);
});
process.send?.('ready');
