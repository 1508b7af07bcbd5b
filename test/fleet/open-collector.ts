/** A collector in a directory of the test, with the routers of fake-router.ts enrolled. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import { catchUp } from '../../fleet/catch-up.ts';
import { buildCollector, type CollectorDeps } from '../../fleet/collector.ts';
import { ProofIntake } from '../../fleet/proof-intake.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { loadSignatures } from '../../fleet/signatures.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import type { ProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { bodyOf, DEPLOYMENT, NOW_S } from './fake-router.ts';
import '../support/own-testdir.ts';

export const COLLECTOR = testKey('collector');

export type OpenCollector = {
  readonly app: FastifyInstance;
  readonly intake: ProofIntake;
  readonly log: SegmentLog;
  readonly store: SqliteStore;
  readonly failures: unknown[];
  readonly close: () => Promise<void>;
};

export async function openCollector(
  directory: string,
  routers: readonly string[] = ['router'],
  changes: Partial<CollectorDeps> = {},
): Promise<OpenCollector> {
  const log = await SegmentLog.open({ directory: join(directory, 'log') });
  const store = new SqliteStore(join(directory, 'store.db'));
  await catchUp(store, log);
  const { recover, sign } = await loadSignatures();
  const enrolled = new Set<string>(routers.map((name) => testKey(name).address));
  const failures: unknown[] = [];
  const deps: CollectorDeps = {
    log,
    store,
    recover,
    sign,
    monotonicMs: () => performance.now(),
    deployment: DEPLOYMENT,
    collector: COLLECTOR,
    devices: (address) => (enrolled.has(address) ? { isRevoked: false, linkBytesPerS: 125_000_000n } : undefined),
    nowS: () => NOW_S,
    lateAfterS: 37n * 86_400n,
    onFailure: (error) => failures.push(error),
    ...changes,
  };
  const intake = new ProofIntake(deps);
  const app = buildCollector({ ...deps, intake });
  const close = async (): Promise<void> => {
    await app.close();
    await log.close();
    store.close();
  };
  return { app, intake, log, store, failures, close };
}

export async function openForTest(test: Test, changes: Partial<CollectorDeps> = {}): Promise<OpenCollector> {
  const collector = await openCollector(test.testdir(), ['router', 'other'], changes);
  test.teardown(collector.close);
  return collector;
}

export function post(app: FastifyInstance, upload: ProofUpload | Uint8Array) {
  const payload = Buffer.from(upload instanceof Uint8Array ? upload : bodyOf(upload));
  return app.inject({ method: 'POST', url: '/v1/proofs', headers: { 'content-type': 'application/cbor' }, payload });
}
