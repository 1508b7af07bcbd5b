/** An apk that its maker signed: checked here by what apk-v3(5) says; with apk 3 on PATH (or APK), by that, with --keys-dir. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import t from 'tap';
import { apkOf } from '../../../tools/package/apk.ts';
import { publicKeyText, signingKey } from '../../../tools/package/apk-signature.ts';
import { readApk } from './support/apk-reader.ts';
import { testSpec, toolFrom } from './support/spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'apk-signature-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const spec = testSpec();
const ours = newKey();
const bytes = apkOf(spec, ours);

function newKey(namedCurve = 'prime256v1'): KeyObject {
  return signingKey(pemOf(generateKeyPairSync('ec', { namedCurve }).privateKey));
}

function pemOf(key: KeyObject): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

for (const [curve, coordinateBytes] of [
  ['prime256v1', 32],
  ['secp384r1', 48],
  ['secp521r1', 66],
] as const) {
  t.test(`${curve}: one signature, of the document whose digest names every file, by the key that it names`, (t) => {
    const key = newKey(curve);
    const { document, signatures } = readApk(apkOf(spec, key));
    const [signature = Buffer.alloc(0), ...more] = signatures;
    t.same(more, []);
    t.same([...signature.subarray(0, 2)], [0, 4], 'version 0, SHA-512');
    // The last bytes of a public key's SubjectPublicKeyInfo are the point itself, uncompressed.
    const text = publicKeyText(key).replace(/-----[^-]+-----|\n/g, '');
    const point = Buffer.from(text, 'base64').subarray(-1 - 2 * coordinateBytes);
    t.ok(
      createHash('sha512').update(point).digest().subarray(0, 16).equals(signature.subarray(2, 18)),
      'names the key',
    );
    const digest = createHash('sha512').update(document).digest();
    const message = Buffer.concat([Buffer.from('pckg'), signature.subarray(0, 18), digest]);
    t.ok(verify('sha512', message, publicKeyText(key), signature.subarray(18)));
    t.ok(document.equals(readApk(apkOf(spec)).document), 'the package is the same without it');
    t.end();
  });
}

t.test('what is no key, or none that apk takes, is refused with the way to make one', (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  const bitcoin = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey;
  t.throws(() => signingKey(pemOf(rsa)), { message: /expected an ECDSA key .*got rsa; make one with openssl/ });
  t.throws(() => signingKey(pemOf(ed25519)), { message: /got ed25519/ });
  t.throws(() => signingKey(pemOf(bitcoin)), { message: /got secp256k1/ });
  t.throws(() => signingKey('hello'), { message: /expected a private key in PEM.*make one with openssl/ });
  t.throws(() => signingKey(publicKeyText(ours)), { message: /expected a private key in PEM/ });
  t.end();
});

t.test('make apk KEY=.. lays the public key beside the packages; a feed of ipk takes another kind of key', (t) => {
  const tool = fileURLToPath(new URL('../../../tools/build-package.ts', import.meta.url));
  const payload = join(folder, 'payload');
  mkdirSync(payload);
  writeFileSync(join(payload, 'shareagent'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'private-key.pem'), pemOf(ours));
  const build = (format: string, out: string) => {
    const options = ['--payload', payload, '--key', join(folder, 'private-key.pem'), '--out', out];
    return spawnSync(process.execPath, [tool, format, ...options], { encoding: 'utf8' });
  };
  const out = join(folder, 'out');
  const ipk = build('ipk', out);
  t.equal(ipk.status, 1);
  t.match(ipk.stderr, /expected a secret key of usign/);
  t.notOk(existsSync(out));
  const apk = build('apk', out);
  t.equal(apk.status, 0, apk.stderr);
  t.equal(apk.stdout.match(/\.apk$/gm)?.length, 2, 'agent and LuCI pages');
  t.match(execFileSync('cat', [join(out, 'shareagent.pem')], { encoding: 'utf8' }), publicKeyText(ours));
  t.end();
});

const apk = toolFrom('APK', 'apk');
t.test(
  'apk verifies and installs it with the key in its folder, and by no other, and not if a byte is another',
  { skip: apk === undefined && 'no apk here (APK names one)' },
  (t) => {
    const run = (...args: readonly string[]) => spawnSync(apk ?? '', [...args], { encoding: 'utf8', cwd: folder });
    for (const [name, key] of [
      ['ours', ours],
      ['theirs', newKey()],
    ] as const) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'maker.pem'), publicKeyText(key));
    }
    writeFileSync(join(folder, 'private-key.pem'), pemOf(ours));
    writeFileSync(join(folder, 'shareagent.apk'), bytes);
    writeFileSync(join(folder, 'unsigned.apk'), apkOf(spec));
    const inside = inflateRawSync(bytes.subarray(4));
    inside.writeUInt8(inside.readUInt8(inside.indexOf('Paid guest WiFi')) ^ 1, inside.indexOf('Paid guest WiFi'));
    writeFileSync(join(folder, 'forged.apk'), Buffer.concat([Buffer.from('ADBd'), deflateRawSync(inside)]));
    const keys = (name: string) => ['--keys-dir', join(folder, name)];
    t.match(run(...keys('ours'), 'verify', 'shareagent.apk').stdout, 'shareagent.apk: OK');
    for (const [name, file] of [
      ['theirs', 'shareagent.apk'],
      ['ours', 'unsigned.apk'],
      ['ours', 'forged.apk'],
    ] as const) {
      const refused = run(...keys(name), 'verify', file);
      t.not(refused.status, 0, `${file} by the keys in ${name}`);
      t.match(`${refused.stdout}${refused.stderr}`, /UNTRUSTED/);
    }
    const stubs = spec.depends.map((name) => {
      const facts = [`name:${name}`, 'version:1-r0', 'arch:x86_64'].flatMap((fact) => ['--info', fact]);
      const made = run('--sign-key', 'private-key.pem', 'mkpkg', ...facts, '-o', `${name}.apk`);
      t.equal(made.status, 0, made.stderr);
      return `${name}.apk`;
    });
    for (const [keysOf, isTaken] of [
      ['ours', true],
      ['theirs', false],
    ] as const) {
      const root = join(folder, `root-${keysOf}`);
      mkdirSync(join(root, 'etc/apk'), { recursive: true });
      writeFileSync(join(root, 'etc/apk/arch'), 'x86_64\n');
      const offline = ['--root', root, '--arch', 'x86_64', '--no-network', '--no-scripts', ...keys(keysOf)];
      const added = run(...offline, 'add', '--initdb', ...stubs, 'shareagent.apk');
      t.equal(added.status === 0, isTaken, `${added.stdout}${added.stderr}`);
      t.equal(existsSync(join(root, 'usr/lib/shareagent/shareagent')), isTaken);
    }
    t.end();
  },
);
