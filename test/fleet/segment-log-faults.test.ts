import { type FileHandle, open } from 'node:fs/promises';
import t from 'tap';
import { SegmentLog } from '../../fleet/segment-log.ts';
import '../support/own-testdir.ts';

type Fault = { readonly method: 'write' | 'sync'; readonly code: string };

/** A disk of which single operations fail: each fault once, in order, when its method is called next. */
function failingDisk() {
  const faults: Fault[] = [];
  const openFile = async (path: string, flags: string | number, mode?: number): Promise<FileHandle> =>
    new Proxy(await open(path, flags, mode), {
      get: (file, name) => {
        const value: unknown = Reflect.get(file, name, file);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]): Promise<unknown> => {
          if (faults[0]?.method !== name) return value.apply(file, args);
          const error = Object.assign(new Error('injected'), { code: faults.shift()?.code });
          // Half of a write reaches the disk before it is full.
          if (name === 'write') await file.write(args[0] as Uint8Array, 0, 3, args[3] as number);
          throw error;
        };
      },
    });
  return { faults, openFile };
}

async function textsOf(directory: string): Promise<readonly string[]> {
  const log = await SegmentLog.open({ directory });
  const texts: string[] = [];
  for await (const { payload } of log.frames()) texts.push(Buffer.from(payload).toString('latin1'));
  await log.close();
  return texts;
}

t.test('a full disk rejects what it cannot hold, leaves nothing of it, and later appends may succeed', async (t) => {
  const directory = t.testdir();
  const { faults, openFile } = failingDisk();
  const log = await SegmentLog.open({ directory, openFile });
  await log.append(Buffer.from('first'));
  faults.push({ method: 'write', code: 'ENOSPC' });
  const lost = await Promise.allSettled([log.append(Buffer.from('second')), log.append(Buffer.from('third'))]);
  t.match(lost, [
    { status: 'rejected', reason: { code: 'LOG_FULL' } },
    { status: 'rejected', reason: { code: 'LOG_FULL' } },
  ]);
  await log.append(Buffer.from('fourth'));
  await log.close();
  t.strictSame(await textsOf(directory), ['first', 'fourth']);
});

t.test('a disk that is full when a segment begins is tried again', async (t) => {
  const directory = t.testdir();
  const { faults, openFile } = failingDisk();
  const log = await SegmentLog.open({ directory, openFile, segmentBytes: 10 });
  await log.append(Buffer.from('first'));
  faults.push({ method: 'write', code: 'EDQUOT' });
  await t.rejects(log.append(Buffer.from('second')), { code: 'LOG_FULL' });
  await log.append(Buffer.from('third'));
  await log.close();
  t.strictSame(await textsOf(directory), ['first', 'third']);
});

t.test('after a write that did not become durable nothing more is acknowledged', async (t) => {
  const directory = t.testdir();
  const { faults, openFile } = failingDisk();
  const log = await SegmentLog.open({ directory, openFile });
  await log.append(Buffer.from('first'));
  faults.push({ method: 'write', code: 'EIO' });
  const failing = log.append(Buffer.from('second'));
  const late = failing.catch(() => log.append(Buffer.from('third')));
  await t.rejects(failing, { code: 'LOG_FAILED', message: /until it is reopened: injected/ });
  await t.rejects(late, { code: 'LOG_FAILED' });
  t.equal(log.syncs, 1);
  await log.close();
});

t.test('an error that is not a full disk fails the log too', async (t) => {
  const { faults, openFile } = failingDisk();
  const log = await SegmentLog.open({ directory: t.testdir(), openFile });
  faults.push({ method: 'write', code: 'EROFS' });
  await t.rejects(log.append(Buffer.from('first')), { code: 'LOG_FAILED' });
  await log.close();
});

t.test('what a killed process has left in memory is durable before it is read again', async (t) => {
  const directory = t.testdir();
  const first = await SegmentLog.open({ directory });
  await first.append(Buffer.from('first'));
  await first.close();
  const synced: string[] = [];
  const openFile = async (path: string, flags: string | number, mode?: number): Promise<FileHandle> =>
    new Proxy(await open(path, flags, mode), {
      get: (file, name) => {
        if (name === 'sync') synced.push(path);
        const value: unknown = Reflect.get(file, name, file);
        return typeof value === 'function' ? value.bind(file) : value;
      },
    });
  const log = await SegmentLog.open({ directory, openFile });
  t.strictSame(synced, [`${directory}/0000000001.seg`, directory], 'its frames, and its name');
  await log.close();
});
