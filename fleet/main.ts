/**
 * Composition root of the collector: `node fleet/main.ts --config FILE [--port N]`. Prints one line of JSON once it
 * listens: {"listening":"http://127.0.0.1:8440","collector":"0x.."}. Everything else it has to say goes to stderr.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildCollector } from './collector.ts';
import { type CollectorConfig, parseCollectorConfig } from './collector-config.ts';
import { loadOrCreateCollectorKey } from './collector-key.ts';
import { ProofIndex } from './proof-index.ts';
import { SegmentLog } from './segment-log.ts';

async function run(config: CollectorConfig): Promise<void> {
  const collector = loadOrCreateCollectorKey(config.keyFile);
  mkdirSync(config.directory, { recursive: true, mode: 0o700 });
  const log = await SegmentLog.open({ directory: join(config.directory, 'log') });
  const index = new ProofIndex(join(config.directory, 'index.db'));
  await index.catchUp(log);
  const app = buildCollector({
    log,
    index,
    collector,
    deployment: config.deployment,
    devices: (address) => config.devices.get(address),
    nowS: () => BigInt(Math.floor(Date.now() / 1000)),
    lateAfterS: config.lateAfterS,
    onFailure: (error) => {
      // Nothing more can be acknowledged; a supervisor starts us again, and catchUp goes on from what is durable.
      process.stderr.write(`collector: stops because its storage failed: ${String(error)}\n`);
      process.exitCode = 1;
      void stop();
    },
  });
  let isStopping = false;
  const stop = async (): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    await app.close();
    await log.close();
    index.close();
  };
  process.once('SIGTERM', () => void stop());
  process.once('SIGINT', () => void stop());
  const listening = await app.listen({ host: config.host, port: config.port });
  process.stdout.write(`${JSON.stringify({ listening, collector: collector.address })}\n`);
}

const { values } = parseArgs({ options: { config: { type: 'string' }, port: { type: 'string' } } });
if (values.config === undefined) {
  process.stderr.write('usage: node fleet/main.ts --config FILE [--port N]\n');
  process.exitCode = 2;
} else {
  const parsed = parseCollectorConfig(readFileSync(values.config, 'utf8'));
  if (parsed.ok) {
    await run(values.port === undefined ? parsed.value : { ...parsed.value, port: Number(values.port) });
  } else {
    const { path, expected, got } = parsed;
    process.stderr.write(`${values.config}: ${path || 'file'}: expected ${expected}, got ${got}\n`);
    process.exitCode = 2;
  }
}
