import { join } from 'node:path';
import t from 'tap';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { SqliteClaims } from '../../fleet/sqlite-claims.ts';
import { SqliteStore } from '../../fleet/sqlite-store.ts';
import { holdFleetContract } from './fleet-store-contract.ts';

holdFleetContract(t, async (directory, nowMs) => ({
  log: await SegmentLog.open({ directory: join(directory, 'log'), segmentBytes: 10 }),
  store: new SqliteStore(join(directory, 'store.db')),
  claims: new SqliteClaims(join(directory, 'totals.db'), nowMs),
}));
