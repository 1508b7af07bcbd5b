import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { LogPosition } from '../../fleet/proof-log.ts';
import { SEGMENT_MAGIC } from '../../fleet/segment-frame.ts';
import { SegmentLog } from '../../fleet/segment-log.ts';
import '../support/own-testdir.ts';

async function payloadsOf(log: SegmentLog, after?: LogPosition): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const { payload } of log.frames(after)) texts.push(Buffer.from(payload).toString('latin1'));
  return texts;
}

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

t.test('what was appended is read back in order, across segments and reopening', async (t) => {
  const directory = t.testdir();
  const payloads = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 400 }), { seed: 1, numRuns: 60 });
  const options = { directory, segmentBytes: 200 };
  const log = await SegmentLog.open(options);
  for (const payload of payloads.slice(0, 30)) await log.append(payload);
  await log.close();
  const reopened = await SegmentLog.open(options);
  await Promise.all(payloads.slice(30).map((payload) => reopened.append(payload)));
  const read: Uint8Array[] = [];
  for await (const { payload } of reopened.frames()) read.push(new Uint8Array(payload));
  t.strictSame(read, payloads);
  t.ok(readdirSync(directory).length > 2, 'several segments');
  await reopened.close();
});

t.test('reading goes on after any position', async (t) => {
  const log = await SegmentLog.open({ directory: t.testdir(), segmentBytes: 20 });
  const positions: LogPosition[] = [];
  for (const text of ['a', 'b', 'c', 'd']) positions.push(await log.append(bytes(text)));
  t.strictSame(log.end(), positions[3]);
  t.strictSame(await Promise.all(positions.map((position) => payloadsOf(log, position))), [
    ['b', 'c', 'd'],
    ['c', 'd'],
    ['d'],
    [],
  ]);
  await log.close();
});

t.test('appends that wait together share one sync', async (t) => {
  const log = await SegmentLog.open({ directory: t.testdir() });
  await Promise.all(Array.from({ length: 100 }, (_, i) => log.append(bytes(`frame ${i}`))));
  t.equal(log.syncs, 1);
  await log.close();
});

t.test('a torn end is cut off, kept aside, and the log goes on', async (t) => {
  const directory = t.testdir();
  const path = join(directory, '0000000001.seg');
  const log = await SegmentLog.open({ directory });
  await log.append(bytes('first'));
  const { offset } = await log.append(bytes('second'));
  await log.append(bytes('third'));
  await log.close();
  truncateSync(path, statSync(path).size - 2);
  const torn = await SegmentLog.open({ directory });
  t.strictSame(await payloadsOf(torn), ['first', 'second']);
  await torn.append(bytes('fourth'));
  t.strictSame(await payloadsOf(torn), ['first', 'second', 'fourth']);
  t.ok(readFileSync(`${path}.torn-${offset}`, 'latin1').endsWith('thi'), 'the torn copy still has it');
  await torn.close();
});

t.test('a last segment that never got its magic starts anew', async (t) => {
  const directory = t.testdir({ '0000000001.seg': 'SSP' });
  const log = await SegmentLog.open({ directory });
  t.strictSame(log.end(), { segment: 1, offset: SEGMENT_MAGIC.length });
  await log.append(bytes('a'));
  t.strictSame(await payloadsOf(log), ['a']);
  await log.close();
});

t.test('a last segment with a foreign magic is kept aside', async (t) => {
  const directory = t.testdir({ '0000000001.seg': 'something else entirely' });
  const log = await SegmentLog.open({ directory });
  t.equal(readFileSync(join(directory, '0000000001.seg.torn-0'), 'latin1'), 'something else entirely');
  await log.close();
});

t.test('damage before the last segment is an error, never skipped', async (t) => {
  const directory = t.testdir();
  const log = await SegmentLog.open({ directory, segmentBytes: 10 });
  for (const text of ['first', 'second', 'third']) await log.append(bytes(text));
  const path = join(directory, '0000000001.seg');
  const content = readFileSync(path);
  content[content.length - 1] = 0x21;
  writeFileSync(path, content);
  await t.rejects(payloadsOf(log), { code: 'LOG_CORRUPT', message: /segment 1 of .* is damaged at byte 0 of/ });
  await log.close();
});

t.test('a missing segment is an error', async (t) => {
  const directory = t.testdir({ '0000000001.seg': '', '0000000003.seg': '' });
  await t.rejects(SegmentLog.open({ directory }), { code: 'LOG_CORRUPT', message: /segment 2 of .* is missing/ });
});

t.test('a length beyond what a frame may hold ends the segment', async (t) => {
  const directory = t.testdir();
  const path = join(directory, '0000000001.seg');
  const log = await SegmentLog.open({ directory });
  await log.append(bytes('first'));
  await log.close();
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('ffffffff00000000', 'hex')]));
  const reopened = await SegmentLog.open({ directory });
  t.strictSame(await payloadsOf(reopened), ['first']);
  await reopened.close();
});

t.test('after close nothing is taken, and what waited is stored', async (t) => {
  const directory = t.testdir();
  const log = await SegmentLog.open({ directory });
  const waiting = log.append(bytes('a'));
  await log.close();
  await waiting;
  await t.rejects(log.append(bytes('b')), { code: 'LOG_CLOSED' });
  const reopened = await SegmentLog.open({ directory });
  t.strictSame(await payloadsOf(reopened), ['a']);
  await reopened.close();
});

t.test('an empty or too large payload is refused', async (t) => {
  const log = await SegmentLog.open({ directory: t.testdir() });
  await t.rejects(log.append(new Uint8Array(0)), { message: /holds 1\.\.4194304 bytes, got 0/ });
  await t.rejects(log.append(new Uint8Array(4 * 1024 * 1024 + 1)), RangeError);
  await log.close();
});
