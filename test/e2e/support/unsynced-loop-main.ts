/** commit-loop.ts with a journal that only says it has synced, about as fast as one that does. */
import { setTimeout as delay } from 'node:timers/promises';
import { LogSync } from '../../../agent/adapters/journal/log-sync.ts';

LogSync.prototype.sync = () => delay(5);
await import('../../agent/adapters/journal/commit-loop.ts');
