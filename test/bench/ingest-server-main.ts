/**
 * A collector as a process of its own, for the benchmark: `node ingest-server-main.ts DIRECTORY`. Every device is enrolled.
 * Over IPC it tells its port, the processor time it took, how fast bare verification is in it, and what its log holds.
 */
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildCollector } from '../../fleet/collector.ts';
import { decodeLogEntry } from '../../fleet/proof-entry.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { loadSignatures } from '../../fleet/signatures.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { DEPLOYMENT } from './ingest-load.ts';

const [directory = ''] = process.argv.slice(2);
const send = (message: object) => process.send?.(message);
mkdirSync(directory, { recursive: true });
const log = await SegmentLog.open({ directory: join(directory, 'log') });
const store = new SqliteStore(join(directory, 'store.db'));
const { recover, recoverGuest, sign, backend } = await loadSignatures();
const secretKey = new Uint8Array(32).fill(9);
const app = buildCollector({
  log,
  store,
  recover,
  recoverGuest,
  sign,
  deployment: DEPLOYMENT,
  collector: { address: addressFromSecretKey(secretKey), secretKey },
  devices: () => ({ isRevoked: false, linkBytesPerS: 125_000_000n }),
  nowS: () => BigInt(Math.floor(Date.now() / 1000)),
  monotonicMs: () => performance.now(),
  lateAfterS: 37n * 86_400n,
  limits: { device: { perS: 1000, burst: 100_000 } },
  onFailure: (error) => {
    throw error;
  },
});
await app.listen({ host: '127.0.0.1', port: 0 });

process.on('message', async (question: 'cpu' | 'raw' | 'digests' | 'stop') => {
  switch (question) {
    case 'cpu':
      // What was put off belongs to what was sent.
      store.commit();
      send({ cpu: process.cpuUsage() });
      break;
    case 'raw':
      send({ raw: rawVerifiesPerCpuS() });
      break;
    case 'digests':
      send({ digests: await digestsInLog() });
      break;
    case 'stop':
      await app.close();
      await log.close();
      store.close();
      process.disconnect();
      break;
  }
});
send({ port: (app.server.address() as AddressInfo).port, backend });

/** Nothing but the library's verification of one signature after another. */
function rawVerifiesPerCpuS(): number {
  const { ecdsaSign, ecdsaVerify, publicKeyCreate } = createRequire(import.meta.url)('secp256k1') as {
    ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array };
    ecdsaVerify(signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean;
    publicKeyCreate(key: Uint8Array): Uint8Array;
  };
  const publicKey = publicKeyCreate(secretKey);
  const claims = Array.from({ length: 64 }, (_, i) => {
    const digest = new Uint8Array(32).fill(i + 1);
    return { digest, ...ecdsaSign(digest, secretKey) };
  });
  const started = process.threadCpuUsage();
  const startedMs = performance.now();
  let done = 0;
  while (performance.now() - startedMs < 400) {
    for (const { digest, signature } of claims) if (ecdsaVerify(signature, digest, publicKey)) done += 1;
  }
  const { user, system } = process.threadCpuUsage(started);
  return (done * 1e6) / (user + system);
}

async function digestsInLog(): Promise<readonly string[]> {
  const digests: string[] = [];
  for await (const { payload } of log.frames()) {
    const entry = decodeLogEntry(payload);
    if (entry.kind === 'upload') digests.push(entry.digest);
  }
  return digests;
}
