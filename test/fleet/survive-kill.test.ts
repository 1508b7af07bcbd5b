import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { decodeLogEntry } from '../../fleet/proof-entry.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import { bodyOf, digestOf, FakeRouter } from './fake-router.ts';
import { openCollector, post } from './open-collector.ts';
import '../support/own-testdir.ts';

const MAIN = fileURLToPath(new URL('intake-main.ts', import.meta.url));

/** Sends groups of three until the process dies. @returns digests acknowledged */
async function sendUntilKilled(directory: string, step: string, deathAt: number, groups: readonly Uint8Array[][]) {
  const child = fork(MAIN, [directory, step, String(deathAt)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const exited = once(child, 'exit');
  await once(child, 'message');
  const acknowledged: string[] = [];
  for (const group of groups) {
    child.send(group.map((body) => Buffer.from(body).toString('base64')));
    const answer = await Promise.race([once(child, 'message'), exited.then(() => undefined)]);
    if (answer === undefined) break;
    for (const { digest } of answer[0] as { digest: string }[]) acknowledged.push(digest);
  }
  await exited;
  t.equal(child.signalCode, 'SIGKILL');
  return acknowledged;
}

for (const step of ['judged', 'durable', 'committed']) {
  t.test(`killed when ${step}: nothing acknowledged is lost, nothing is there twice`, async (t) => {
    const directory = t.testdir();
    const router = new FakeRouter();
    const uploads = Array.from({ length: 9 }, () => router.next([{ guest: 1, up: 1n, down: 2n, paid: 1n }]));
    const bodies = uploads.map(bodyOf);
    const groups = [0, 3, 6].map((at) => bodies.slice(at, at + 3));
    const acknowledged = await sendUntilKilled(directory, step, 2, groups);
    t.equal(acknowledged.length, 3, 'the first group was');

    // A tail that is torn, as a power cut may leave it.
    appendFileSync(join(directory, 'log', '0000000001.seg'), Buffer.from('000000ff12', 'hex'));
    const again = await openCollector(directory);
    const kept = again.store.verdicts(router.key.address, 0n, 100).map(({ digest }) => digest);
    t.strictSame(new Set(kept).size, kept.length);
    t.ok(acknowledged.every((digest) => kept.includes(digest as never)));
    // The router has no receipt for the others and sends them again, all of them.
    for (const upload of uploads) t.match((await post(again.app, upload)).json(), { verdict: 'valid' });
    await again.close();

    const log = await SegmentLog.open({ directory: join(directory, 'log') });
    const logged: string[] = [];
    for await (const { payload } of log.frames()) {
      const entry = decodeLogEntry(payload);
      if (entry.kind === 'upload') logged.push(entry.digest);
    }
    await log.close();
    t.strictSame(logged, uploads.map(digestOf), 'each once, in order');
  });
}
