import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { progressText, simulateCommand } from '../../fleet/simulate-command.ts';
import { poster } from '../../fleet/simulate-post.ts';
import { LIES } from '../../fleet/simulate-router.ts';
import { fastestSigner, nobleSigner } from '../../fleet/simulate-signer.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { receiptJsonFromReceipt } from '../../protocol/receipt-wire.ts';
import { trafficProofDigestHex } from '../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../protocol/traffic-proof-wire.ts';
import { type ProofReceipt, signProofReceipt } from '../../protocol/verdict.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import '../support/own-testdir.ts';

const COLLECTOR = testKey('collector');
/** What the simulator signs for. */
const DEPLOYMENT = {
  chainId: 31_337n,
  channels: `0x${'c1'.padStart(40, '0')}`,
  registry: `0x${'d1'.padStart(40, '0')}`,
} as const;

async function simulate(...args: readonly string[]) {
  const printed: string[] = [];
  const noted: string[] = [];
  const output = { print: (text: string) => printed.push(text), note: (text: string) => noted.push(text) };
  const code = await simulateCommand(args, output);
  return { code, text: printed.join('\n'), notes: noted.join('\n') };
}

t.test('two hundred routers, every kind of lie: every verdict of a real collector is right', async (t) => {
  const lies = LIES.map((lie) => `${lie}=0.08`).join(',');
  const args = [
    '--routers',
    '200',
    '--minutes',
    '0.04',
    '--interval',
    '1.2',
    '--lies',
    lies,
    '--unknown',
    '0.05',
    '--json',
  ];
  const { code, text, notes } = await simulate(...args);
  const result = JSON.parse(text);
  t.equal(code, 0, result.examples.join('\n'));
  t.match(result, { ok: true, wrong: 0, readBack: { missing: 0 } });
  t.ok(result.sent > 200 && result.readBack.proofs > 100 && result.signaturesChecked > 5);
  const verdicts = new Map(result.tallies.map((one: { deed: string; verdicts: object }) => [one.deed, one.verdicts]));
  t.same([...verdicts.keys()].sort(), ['honest', 'unknown', ...LIES].sort());
  t.match(Object.keys(verdicts.get('clone') as object), ['equivocation']);
  t.match(Object.keys(verdicts.get('unknown') as object), ['unknown-device']);
  t.match(notes, /200 routers, signed by/);
});

/** A collector that answers with `answer`, at an address of its own. */
async function fakeCollector(
  t: Test,
  answer: (receipt: ProofReceipt, request: number) => { status?: number; body: unknown },
): Promise<string> {
  let requests = 0;
  const read = async (message: IncomingMessage): Promise<Uint8Array> => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  };
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return void response.end('{"proofs":[],"next":"0"}');
    const upload = decodeProofUpload(await read(request));
    if (!upload.ok) throw new Error('the simulator sent no proof');
    const proof = trafficProofDigestHex(DEPLOYMENT, upload.value.proof);
    const receipt = { collector: COLLECTOR.address, proof, verdict: 'valid', receivedS: 1n } as const;
    const { status = 200, body } = answer(receipt, requests++);
    response.writeHead(status, { 'retry-after': '0' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const HONEST = LIES.map((lie) => `${lie}=0`).join(',');

function against(url: string, ...more: readonly string[]) {
  const few = ['--routers', '20', '--minutes', '0.002', '--lies', HONEST, '--unknown', '0', '--run', 'x'];
  return simulate('--collector', url, '--key', COLLECTOR.address, ...few, ...more);
}

t.test('a collector that lies is found out', async (t) => {
  const signed = (receipt: ProofReceipt, key = COLLECTOR.secretKey) =>
    receiptJsonFromReceipt(signProofReceipt(DEPLOYMENT, receipt, key));
  const cases = {
    'must be valid, is late': (receipt: ProofReceipt) => signed({ ...receipt, verdict: 'late' }),
    'the receipt is for 0x': (receipt: ProofReceipt) => signed({ ...receipt, proof: `0x${'00'.repeat(32)}` }),
    'the receipt is of 0x': (receipt: ProofReceipt) => signed({ ...receipt, collector: testKey('other').address }),
    'is not signed by the collector': (receipt: ProofReceipt) => signed(receipt, testKey('other').secretKey),
    'no receipt: ': () => ({}),
    'no JSON: ': () => '<html>',
    'is not listed': signed,
  };
  for (const [flaw, body] of Object.entries(cases)) {
    const url = await fakeCollector(t, (receipt) => ({ body: body(receipt) }));
    const { code, text } = await against(url);
    t.equal(code, 1, flaw);
    t.match(text, flaw);
  }
  const refuses = await against(await fakeCollector(t, () => ({ status: 400, body: 'no' })));
  t.match(refuses.text, /status 400: no/);
});

t.test('a replay that gets a receipt of its own is counted twice, which is wrong', async (t) => {
  const url = await fakeCollector(t, (receipt, request) => {
    const again = { ...receipt, receivedS: BigInt(request) };
    return { body: receiptJsonFromReceipt(signProofReceipt(DEPLOYMENT, again, COLLECTOR.secretKey)) };
  });
  const { text } = await against(url, '--lies', `${HONEST},replay=1`);
  t.match(text, /a replay got a receipt of its own/);
});

t.test('a router that is told to wait comes again', async (t) => {
  const url = await fakeCollector(t, (receipt, request) => {
    if (request < 5) return { status: 503, body: { error: { code: 'busy', message: 'wait' } } };
    return { body: receiptJsonFromReceipt(signProofReceipt(DEPLOYMENT, receipt, COLLECTOR.secretKey)) };
  });
  const { text } = await against(url);
  t.match(text, /5 sent again when asked to wait/);
  t.match(text, /honest +20 +20 +valid 20/);
});

t.test('nobody waits for a collector that has ended', async (t) => {
  const http = poster('http://127.0.0.1:9', 1, AbortSignal.abort());
  t.match(await http.post(new Uint8Array(1)), { ok: false, message: /^the collector has ended: / });
  http.close();
});

t.test('a run has the same devices wherever it is made, and another run has others', async (t) => {
  const directory = t.testdir();
  const devices = async (run: string, file: string) => {
    const { code } = await simulate(
      '--routers',
      '3',
      '--unknown',
      '0',
      '--run',
      run,
      '--devices',
      join(directory, file),
    );
    t.equal(code, 0);
    return readFileSync(join(directory, file), 'utf8');
  };
  const first = await devices('one', 'a');
  t.equal(JSON.parse(first).length, 3);
  t.equal(await devices('one', 'b'), first);
  t.not(await devices('two', 'c'), first);
});

t.test('the native signer is taken only if it signs as ours does', (t) => {
  const [digest, key] = [keccak256Text('d'), keccak256Text('k')];
  const fastest = fastestSigner();
  t.equal(fastest.sign(digest, key), nobleSigner.sign(digest, key));
  t.equal(fastest.addressOf(key), nobleSigner.addressOf(key));
  const wrong = {
    ecdsaSign: () => ({ signature: new Uint8Array(64), recid: 0 }),
    publicKeyCreate: () => new Uint8Array(65),
  };
  t.equal(fastestSigner(() => wrong).name, 'noble');
  const missing = () => {
    throw new Error('Cannot find module');
  };
  t.equal(fastestSigner(missing).name, 'noble');
  t.end();
});

t.test('progress, and wrong arguments', async (t) => {
  const progress = { elapsedMs: 15_000, sent: 300, wrong: 1, waiting: 2, p99Ms: 12.4 };
  t.equal(
    progressText(progress, 30_000),
    '[##########..........] 15 s  300 proofs (20/s)  1 wrong  2 waiting  p99 12 ms',
  );
  for (const [args, message] of [
    [['--routers', '0'], /--routers must be a number from 1 to 1000000, got 0/],
    [['--lies', 'forged=2'], /"forged=2" must be one of replay, /],
    [['--lies', 'forged=0.6,gap=0.6'], /must be at most 1/],
    [['--collector', 'http://127.0.0.1:1'], /--collector URL needs --key/],
    [['--colector', 'x'], /colector/],
  ] as const) {
    const { code, notes } = await simulate(...args);
    t.equal(code, 2);
    t.match(notes, message);
  }
});
