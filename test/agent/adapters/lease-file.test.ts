import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { LeaseFile, leasesFromText } from '../../../agent/adapters/lease-file.ts';
import type { StationEvent } from '../../../agent/ports.ts';

const PHONE = 'aa:bb:cc:00:00:01';
const LAPTOP = 'aa:bb:cc:00:00:02';

function startFile(t: Test, text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'leases-'));
  const path = join(folder, 'dhcp.leases');
  let seconds = 1_000;
  const write = (next: string): void => {
    writeFileSync(path, next);
    // The clock of the file system is coarse; a test is quicker.
    seconds += 1;
    utimesSync(path, seconds, seconds);
  };
  write(text);
  const events: StationEvent[] = [];
  const problems: Error[] = [];
  const file = new LeaseFile({
    path,
    accepts: (address) => address.startsWith('192.168.44.'),
    onProblem: (error) => problems.push(error),
  });
  t.teardown(() => {
    file.close();
    rmSync(folder, { recursive: true });
  });
  return { file, write, path, events, problems, start: () => file.start((event) => events.push(event)) };
}

t.test('leases are read as dnsmasq writes them', (t) => {
  const text = [
    `1795338632 ${PHONE} 192.168.44.164 phone1 01:${PHONE}`,
    `0 ${LAPTOP} 192.168.44.165 * *`,
    'duid 00:01:00:01:2e:aa:bb:cc:00:00:00:00:00:01',
    '1795338632 12345678 fd00::164 phone1 00:01:00:01',
    '',
  ].join('\n');
  t.same(leasesFromText(text), [
    { mac: PHONE, address: '192.168.44.164', hostname: 'phone1' },
    { mac: LAPTOP, address: '192.168.44.165' },
  ]);
  t.end();
});

t.test('a line that is not finished or not a lease is left out', (t) => {
  t.same(leasesFromText(`1 ${PHONE} 192.168.44.1 x *`), [], 'no line end yet');
  for (const line of [
    '',
    'x',
    `-1 ${PHONE} 192.168.44.1 x *`,
    `1 ${PHONE} 192.168.44.999 x *`,
    '1 06-aa:bb 10.0.0.1 x *',
  ]) {
    t.same(leasesFromText(`${line}\n`), [], line);
  }
  t.end();
});

t.test('whatever a guest calls itself, the name is short and harmless', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
      for (const { hostname } of leasesFromText(`1 ${PHONE} 192.168.44.1 ${name} *\n`)) {
        if (hostname !== undefined && !/^[A-Za-z0-9-]{1,63}$/.test(hostname)) throw new Error(hostname);
      }
    }),
    { seed: 20_261_122, numRuns: 1_000 },
  );
  t.end();
});

t.test('each change of the file is reported once', async (t) => {
  const { file, write, events, start } = startFile(
    t,
    `1 ${PHONE} 192.168.44.164 phone1 *\n1 ${LAPTOP} 192.168.1.7 owner *\n`,
  );
  await start();
  t.same(events, [{ kind: 'leased', lease: { mac: PHONE, address: '192.168.44.164', hostname: 'phone1' } }]);
  t.equal(file.leases().length, 1, 'the owner’s network is not ours');
  await file.refresh();
  write(`2 ${PHONE} 192.168.44.164 phone1 *\n`);
  await file.refresh();
  t.equal(events.length, 1, 'a renewal changes nothing');
  write(`2 ${LAPTOP} 192.168.44.164 laptop2 *\n`);
  await file.refresh();
  t.same(events.slice(1), [
    { kind: 'released', mac: PHONE, address: '192.168.44.164' },
    { kind: 'leased', lease: { mac: LAPTOP, address: '192.168.44.164', hostname: 'laptop2' } },
  ]);
  write('');
  await file.refresh();
  t.same(events.slice(3), [{ kind: 'released', mac: LAPTOP, address: '192.168.44.164' }]);
});

t.test('a file that is missing is reported once and read when it comes', async (t) => {
  const { file, write, path, events, problems, start } = startFile(t, '');
  rmSync(path);
  await start();
  await file.refresh();
  t.equal(problems.length, 1);
  t.match(problems[0], { code: 'ENOENT' });
  write(`1 ${PHONE} 192.168.44.164 phone1 *\n`);
  await file.refresh();
  t.equal(events.length, 1);
});
