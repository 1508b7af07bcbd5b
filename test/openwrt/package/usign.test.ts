/**
 * A feed for opkg that its maker signed: checked by what usign itself made, and by usign and opkg where they are on PATH (or
 * USIGN and OPKG name them).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { packageFile } from '../../../tools/build-package.ts';
import { ipkOf } from '../../../tools/package/ipk.ts';
import { opkgIndex } from '../../../tools/package/opkg-index.ts';
import { feedKey, feedKeyName, feedKeyText, newFeedKey, usignSignature } from '../../../tools/package/usign.ts';
import { testSpec, toolFrom } from './support/spec.ts';

/** Made by usign (commit c4c72b1) for this test: usign -G -s k -p k.pub; usign -S -m m -s k. The key signs nothing else. */
const USIGN_SECRET = `untrusted comment: private key 826cf7d8f93577f4
RWRCSwAAAAC/HPoRWZK0m1wvgWOQrg72xV8ZrIQi2HKCbPfY+TV39MihQSWIA4MGOOw7++nTgkN1PLg2ISeBozvf/zTCaAh+kjhMsJTi/fvWxCUePYWag1QfKrGQPBgda2C+dtEEchk=
`;
const USIGN_PUBLIC = `untrusted comment: public key 826cf7d8f93577f4
RWSCbPfY+TV39JI4TLCU4v371sQlHj2FmoNUHyqxkDwYHWtgvnbRBHIZ
`;
const USIGN_MESSAGE = Buffer.from('Package: shareagent\nVersion: 1.2.3-r1\n\n');
const USIGN_SIGNATURE = `untrusted comment: signed by key 826cf7d8f93577f4
RWSCbPfY+TV39CArYlMENtC8W7vyIKRLP3WSPjLCfQCgBdspY7VOl0F1qunwMBhrb/KahlrkI15vQQszimbHNsmGv2wbkHXJmwI=
`;

const folder = mkdtempSync(join(tmpdir(), 'usign-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const spec = testSpec();
const ipk = { spec, file: packageFile(spec, 'ipk'), bytes: ipkOf(spec) };
const usign = toolFrom('USIGN', 'usign');
const opkg = toolFrom('OPKG', 'opkg');

/** The bytes of a secret key, changed. */
function changed(change: (bytes: Buffer) => void): string {
  const [comment, encoded = ''] = USIGN_SECRET.split('\n');
  const bytes = Buffer.from(encoded, 'base64');
  change(bytes);
  return `${comment}\n${bytes.toString('base64')}\n`;
}

t.test('with the key that usign made, every file is byte for byte what usign made', (t) => {
  const key = feedKey(USIGN_SECRET);
  t.equal(feedKeyName(key), '826cf7d8f93577f4');
  t.equal(feedKeyText(key), USIGN_PUBLIC);
  t.equal(usignSignature(key, USIGN_MESSAGE), USIGN_SIGNATURE);
  t.end();
});

t.test('a new key is read back from its file, and its signature holds for what was signed and nothing else', (t) => {
  const { key, secretText } = newFeedKey();
  const again = feedKey(secretText);
  t.equal(feedKeyText(again), feedKeyText(key));
  const bytes = Buffer.from(usignSignature(again, USIGN_MESSAGE).split('\n')[1] ?? '', 'base64');
  t.equal(bytes.length, 74);
  const publicKey = createPublicKey(key.privateKey);
  t.ok(verify(null, USIGN_MESSAGE, publicKey, bytes.subarray(10)));
  t.notOk(verify(null, Buffer.concat([USIGN_MESSAGE, Buffer.from('\n')]), publicKey, bytes.subarray(10)));
  t.not(feedKeyName(newFeedKey().key), feedKeyName(key));
  t.end();
});

t.test('what is no key of usign, or a damaged or locked one, is refused', (t) => {
  const isNone = { message: /expected a secret key of usign.*make-feed-key/ };
  t.throws(() => feedKey(USIGN_PUBLIC), isNone);
  t.throws(() => feedKey('-----BEGIN PRIVATE KEY-----\n'), isNone);
  t.throws(() => feedKey(changed((bytes) => bytes.write('Rs'))), isNone);
  t.throws(() => feedKey(changed((bytes) => bytes.writeUInt32BE(42, 4))), { message: /without a pass phrase/ });
  for (const place of [24, 40, 72])
    t.throws(() => feedKey(changed((bytes) => bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place))), {
      message: /damaged/,
    });
  t.end();
});

t.test('the index says of each package what its control file says, where it is, how long, and its digest', (t) => {
  const luci = { ...ipk, file: 'luci-app-shareagent_1_all.ipk', spec: { ...spec, name: 'luci-app-shareagent' } };
  const [first = '', second = '', rest] = opkgIndex([ipk, luci]).split('\n\n');
  t.match(first, /^Package: luci-app-shareagent\n/, 'sorted by file');
  t.equal(rest, '');
  t.match(
    second,
    new RegExp(`\nFilename: ${ipk.file}\nSize: ${ipk.bytes.length}\nSHA256sum: [0-9a-f]{64}\nDescription: `),
  );
  t.notMatch(second, /^(Maintainer|Source|SourceName|SourceDateEpoch):/m);
  t.end();
});

t.test('make ipk KEY=.. makes a signed feed; the key is made once and never overwritten', (t) => {
  const tool = (name: string) => fileURLToPath(new URL(`../../../tools/${name}.ts`, import.meta.url));
  const run = (...args: readonly string[]) => spawnSync(process.execPath, args, { encoding: 'utf8', cwd: folder });
  const made = run(tool('make-feed-key'), 'key-build');
  t.equal(made.status, 0, made.stderr);
  t.equal(statSync(join(folder, 'key-build')).mode & 0o777, 0o600);
  const secret = readFileSync(join(folder, 'key-build'), 'utf8');
  t.match(run(tool('make-feed-key'), 'key-build').stderr, /EEXIST/);
  t.equal(run(tool('make-feed-key')).status, 2);
  t.equal(readFileSync(join(folder, 'key-build'), 'utf8'), secret);
  mkdirSync(join(folder, 'payload'));
  writeFileSync(join(folder, 'payload/shareagent'), '#!/bin/sh\n', { mode: 0o755 });
  const built = run(tool('build-package'), 'ipk', '--payload', 'payload', '--key', 'key-build', '--out', 'out');
  t.equal(built.status, 0, built.stderr);
  const key = feedKey(secret);
  const index = readFileSync(join(folder, 'out/Packages'));
  t.equal(readFileSync(join(folder, 'out/Packages.sig'), 'utf8'), usignSignature(key, index));
  t.ok(gunzipSync(readFileSync(join(folder, 'out/Packages.gz'))).equals(index));
  t.equal(
    readFileSync(join(folder, 'out', feedKeyName(key)), 'utf8'),
    readFileSync(join(folder, 'key-build.pub'), 'utf8'),
  );
  const packages = readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.ipk'));
  t.equal(packages.length, 2);
  for (const name of packages) t.match(index.toString(), `Filename: ${name}\n`);
  t.end();
});

t.test(
  'usign itself takes the signature, and refuses another byte and another key',
  { skip: usign === undefined && 'no usign here (USIGN names one)' },
  (t) => {
    const run = (...args: readonly string[]) => spawnSync(usign ?? '', args, { encoding: 'utf8', cwd: folder });
    const { key, secretText } = newFeedKey();
    mkdirSync(join(folder, 'keys'));
    writeFileSync(join(folder, 'keys', feedKeyName(key)), feedKeyText(key));
    const index = opkgIndex([ipk]);
    writeFileSync(join(folder, 'index'), index);
    writeFileSync(join(folder, 'index.sig'), usignSignature(key, Buffer.from(index)));
    t.match(run('-V', '-P', 'keys', '-m', 'index').stderr, /^OK/);
    writeFileSync(join(folder, 'other'), index.replace('shareagent', 'shareagemt'));
    t.not(run('-V', '-P', 'keys', '-m', 'other', '-x', 'index.sig').status, 0);
    writeFileSync(join(folder, 'index.sig'), usignSignature(newFeedKey().key, Buffer.from(index)));
    t.not(run('-V', '-P', 'keys', '-m', 'index').status, 0);
    writeFileSync(join(folder, 'secret'), secretText, { mode: 0o600 });
    t.equal(run('-S', '-m', 'index', '-s', 'secret', '-x', 'theirs').status, 0);
    t.equal(readFileSync(join(folder, 'theirs'), 'utf8'), usignSignature(key, Buffer.from(index)));
    t.end();
  },
);

const lacking = [usign === undefined && 'usign (USIGN)', opkg === undefined && 'opkg (OPKG)'].filter((name) => name);
t.test(
  'opkg installs from the feed with the key in its folder, and takes nothing from it without',
  { skip: lacking.length > 0 && `no ${lacking.join(', ')} here` },
  (t) => {
    const { key } = newFeedKey();
    const feed = join(folder, 'feed');
    mkdirSync(feed);
    const index = Buffer.from(opkgIndex([ipk]));
    writeFileSync(join(feed, 'Packages'), index);
    writeFileSync(join(feed, 'Packages.sig'), usignSignature(key, index));
    writeFileSync(join(feed, ipk.file), ipk.bytes);
    for (const isTrusted of [true, false]) {
      const root = join(folder, `root-${isTrusted}`);
      for (const path of ['etc/opkg/keys', 'usr/lib/opkg/info', 'tmp', 'var/lock', 'bin'])
        mkdirSync(join(root, path), { recursive: true });
      if (isTrusted) writeFileSync(join(root, 'etc/opkg/keys', feedKeyName(key)), feedKeyText(key));
      // What OpenWrt's /usr/sbin/opkg-key does at "verify".
      const verifier = `#!/bin/sh\n( zcat "$3" 2>/dev/null || cat "$3" ) | ${usign} -V -P ${root}/etc/opkg/keys -q -x "$2" -m -\n`;
      writeFileSync(join(root, 'bin/opkg-key'), verifier, { mode: 0o755 });
      const settings = `src shareagent file://${feed}\ndest root /\nlists_dir ext /var/opkg-lists\noption check_signature\n`;
      const arches = `arch all 1\narch x86_64 10\noption verify_program ${root}/bin/opkg-key\n`;
      writeFileSync(join(root, 'etc/opkg.conf'), settings + arches);
      const stubs = spec.depends.map(
        (name) => `Package: ${name}\nVersion: 1\nStatus: install ok installed\nArchitecture: all\n\n`,
      );
      writeFileSync(join(root, 'usr/lib/opkg/status'), stubs.join(''));
      const run = (...args: readonly string[]) =>
        spawnSync(opkg ?? '', ['--offline-root', root, '-f', join(root, 'etc/opkg.conf'), ...args], {
          encoding: 'utf8',
        });
      const updated = run('update');
      t.match(`${updated.stdout}${updated.stderr}`, isTrusted ? /Signature check passed/ : /Signature check failed/);
      const installed = run('install', 'shareagent');
      t.equal(installed.status === 0, isTrusted, `${installed.stdout}${installed.stderr}`);
      const found = execFileSync('find', [root, '-path', '*/usr/lib/shareagent/shareagent'], { encoding: 'utf8' });
      t.equal(found !== '', isTrusted);
    }
    t.end();
  },
);
