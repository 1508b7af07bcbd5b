/** A key that another process holds: what it answers is checked, and what it does not answer has a name. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { nodeSigner } from '../../../agent/adapters/node-signer.ts';
import { socketSigner } from '../../../agent/adapters/socket-signer.ts';
import { keccak256Text } from '../../../protocol/keccak.ts';
import { addressFromSecretKey, recoverSigner } from '../../../protocol/signature.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KEY = new Uint8Array(32).fill(7);
const module = (name: string) => new URL(`../../../protocol/${name}.ts`, import.meta.url).href;

/** What each of the process's sockets says to a question: null nothing, undefined hangs up. */
const HOLDER = `
  const { createServer } = await import('node:net');
  const { addressFromSecretKey, signDigest } = await import('${module('signature')}');
  const { bytesFromHex } = await import('${module('hex')}');
  const [key, other] = [7, 8].map((byte) => new Uint8Array(32).fill(byte));
  const named = () => ({ address: addressFromSecretKey(key) });
  const honest = ({ address, sign }) => address ? named() : { signature: signDigest(bytesFromHex(sign), key) };
  let asked = 0, tired = 0, later = 0;
  const ways = {
    honest,
    silent: () => null,
    leaving: () => undefined,
    endless: () => 'x'.repeat(5000),
    talking: () => 'hello\\n',
    nameless: () => ({ address: '0x12' }),
    locked: () => ({ error: 'locked: enter the PIN' }),
    short: ({ address }) => address ? named() : { signature: '0x00' },
    other: ({ address, sign }) => address ? named() : { signature: signDigest(bytesFromHex(sign), other) },
    moody: (question) => ++asked === 3 ? undefined : honest(question),
    tired: (question) => ++tired === 3 ? null : honest(question),
    dripping: () => 'drip',
    'silent-later': (question) => ++later > 2 ? null : honest(question),
  };
  await Promise.all(Object.entries(ways).map(([name, answer]) => new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const said = answer(JSON.parse(String(data)));
        if (said === undefined) socket.end();
        else if (said === 'drip') {
          const timer = setInterval(() => socket.write('x'), 20);
          socket.on('close', () => clearInterval(timer));
        } else if (said !== null) socket.write(typeof said === 'string' ? said : JSON.stringify(said) + '\\n');
      });
    });
    server.listen(process.argv[1] + '/' + name, resolve);
  })));
  console.log('ready');
  process.stdin.resume().on('end', () => process.exit());
`;

// Another process: whoever asks waits without turning its own event loop.
const directory = temporaryDirectory(t);
const { NODE_OPTIONS: _, ...env } = process.env;
const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, directory], {
  env,
  stdio: ['pipe', 'pipe', 'inherit'],
});
t.teardown(async () => {
  holder.stdin.end();
  await once(holder, 'exit');
});
await once(holder.stdout, 'data');

/** Nothing that answers comes near it, however busy the machine is; what does not answer is given its own, short one. */
const PATIENCE_MS = 60_000;
const at = (way: string) => join(directory, way);

t.test('what it signs is the node’s signature', (t) => {
  const none = join(directory, 'no-key-file');
  const named = nodeSigner({ databasePath: ':memory:', deviceKeyPath: none, signerSocket: at('honest') });
  t.equal(named.address, addressFromSecretKey(KEY));
  const signer = socketSigner(at('honest'), { startTimeoutMs: PATIENCE_MS, timeoutMs: PATIENCE_MS });
  for (const text of ['one', 'two', 'three']) {
    const digest = keccak256Text(text);
    t.equal(recoverSigner(digest, signer.sign(digest)), signer.address);
  }
  t.end();
});

t.test('without a socket it is the key in the file', (t) => {
  const storage = { databasePath: ':memory:', deviceKeyPath: join(directory, 'device.key') };
  const digest = keccak256Text('file');
  const signer = nodeSigner(storage);
  t.equal(recoverSigner(digest, signer.sign(digest)), signer.address);
  t.equal(nodeSigner(storage).address, signer.address);
  t.end();
});

t.test('a signer that is not there, silent, or wrong ends the start with its reason', (t) => {
  const away = (message: RegExp) => ({ code: 'KEY_SIGNER_AWAY', message });
  const refused = (message: RegExp) => ({ code: 'KEY_SIGNER_REFUSED', message });
  const ends = (
    way: string,
    expected: { readonly code: string; readonly message: RegExp },
    startTimeoutMs = PATIENCE_MS,
  ) => t.throws(() => socketSigner(at(way), { startTimeoutMs }), expected, way);
  ends('none', away(/none cannot be asked \(.*ENOENT/));
  ends('silent', away(/no answer within 200 ms/), 200);
  ends('dripping', away(/no answer within 200 ms/), 200);
  ends('leaving', away(/hung up without an answer/));
  ends('endless', away(/more than 4096 bytes/));
  ends('talking', refused(/one line with a JSON object/));
  ends('nameless', refused(/40 hex digits/));
  ends('locked', refused(/it said: locked: enter the PIN/));
  ends('short', refused(/EIP-2098/));
  ends('other', { code: 'KEY_SELF_CHECK', message: /do not use it/ });
  t.end();
});

t.test('a signer that comes back is asked again', (t) => {
  const signer = socketSigner(at('moody'), { startTimeoutMs: PATIENCE_MS, timeoutMs: PATIENCE_MS });
  const digest = keccak256Text('again');
  t.throws(() => signer.sign(digest), { code: 'KEY_SIGNER_AWAY' });
  t.equal(recoverSigner(digest, signer.sign(digest)), signer.address);
  t.end();
});

t.test('a signer that was silent once is left alone for a while: guests do not wait for each signature', async (t) => {
  const patient = { startTimeoutMs: PATIENCE_MS, timeoutMs: PATIENCE_MS };
  const digest = keccak256Text('tired');
  const impatient = socketSigner(at('silent-later'), { ...patient, timeoutMs: 100 });
  t.throws(() => impatient.sign(digest), { code: 'KEY_SIGNER_AWAY', message: /no answer within 100 ms/ });
  for (let i = 0; i < 20; i++)
    t.throws(() => impatient.sign(digest), { code: 'KEY_SIGNER_AWAY', message: /asked again in \d+ s/ });
  const restMs = 300;
  const back = socketSigner(at('tired'), { ...patient, timeoutMs: 100, restMs });
  t.throws(() => back.sign(digest), { code: 'KEY_SIGNER_AWAY' });
  await sleep(restMs + 1);
  let signature: string | undefined;
  while (signature === undefined) {
    try {
      signature = back.sign(digest);
    } catch {
      await sleep(restMs);
    }
  }
  t.equal(recoverSigner(digest, signature), back.address, 'then it is asked again');
});
