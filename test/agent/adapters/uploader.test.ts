import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { judgeAnswer, proofUploader } from '../../../agent/adapters/uploader.ts';
import { receiptJsonFromReceipt } from '../../../protocol/receipt-wire.ts';
import {
  GENESIS_PREV,
  sessionsRoot,
  signTrafficProof,
  trafficProofDigestHex,
} from '../../../protocol/traffic-proof.ts';
import { encodeProofUpload } from '../../../protocol/traffic-proof-wire.ts';
import { signProofReceipt } from '../../../protocol/verdict.ts';
import { REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';

const device = testKey('device');
const collector = testKey('collector');
const proof = signTrafficProof(
  REGISTRY,
  {
    device: device.address,
    epoch: 0n,
    seq: 0n,
    startS: 0n,
    endS: 60n,
    bytesUp: 0n,
    bytesDown: 0n,
    paid: 0n,
    sessionsRoot: sessionsRoot([]),
    prev: GENESIS_PREV,
    clockState: 1n,
  },
  device.secretKey,
);
const body = encodeProofUpload({ proof, leaves: [], vouchers: [] });
const digest = trafficProofDigestHex(REGISTRY, proof);

function receiptText(changes: object = {}, signedBy = collector.secretKey): string {
  const parts = { collector: collector.address, proof: digest, verdict: 'valid', receivedS: 99n, ...changes } as const;
  return JSON.stringify(receiptJsonFromReceipt(signProofReceipt(REGISTRY, parts, signedBy)));
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP server on loopback that answers with `handler`; returns its address. */
async function serve(test: Test, handler: Handler): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function uploadTo(collectorUrl: string, bytes = body, timeoutMs = 10_000) {
  const options = { collectorUrl, collector: collector.address, deployment: REGISTRY, timeoutMs };
  return proofUploader(options).upload(bytes);
}

t.test('the body is posted as it is and the signed receipt returned', async (t) => {
  const seen: unknown[] = [];
  const url = await serve(t, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      seen.push(request.method, request.url, request.headers['content-type'], new Uint8Array(Buffer.concat(chunks)));
      response.end(receiptText());
    });
  });
  const answer = await uploadTo(`${url}/fleet/`);
  t.match(answer, { ok: true, receipt: { proof: digest, verdict: 'valid', receivedS: 99n } });
  t.strictSame(seen, ['POST', '/fleet/v1/proofs', 'application/cbor', new Uint8Array(body)]);
});

t.test('a receipt of another collector, for another proof or with a false signature is no receipt', (t) => {
  const judge = (text: string) => judgeAnswer(text, collector.address, REGISTRY, digest);
  t.match(judge(receiptText()), { ok: true });
  t.match(judge(receiptText({ collector: device.address })), { ok: false, message: /of collector .*, expected/ });
  t.match(judge(receiptText({ proof: `0x${'00'.repeat(32)}` })), { ok: false, message: /for proof 0x00.*, expected/ });
  t.match(judge(receiptText({}, device.secretKey)), { ok: false, message: /not signed by collector/ });
  t.match(judge('{"v":1}'), { ok: false, message: /receipt is malformed: collector/ });
  t.match(judge('<html>\u001b[31m'), { ok: false, message: 'the collector\'s answer is not JSON: "<html>?[31m"' });
  t.end();
});

t.test('an answer that is not 200 is quoted in the failure', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(503).end('{"error":"storage"}'));
  t.match(await uploadTo(url), { ok: false, message: /answered 503: .*storage/ });
});

t.test('a redirect is not followed', async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(302, { location: '/login' }).end());
  t.match(await uploadTo(url), { ok: false, message: /answered 302/ });
});

t.test('an answer without end is cut off', async (t) => {
  const url = await serve(t, (_, response) => {
    const timer = setInterval(() => response.write('x'.repeat(4096)), 1);
    response.on('close', () => clearInterval(timer));
  });
  t.match(await uploadTo(url), { ok: false, message: /longer than 16384 bytes/ });
});

t.test('a collector that never answers is given up after the timeout', async (t) => {
  const url = await serve(t, () => {});
  t.match(await uploadTo(url, body, 200), { ok: false, message: /cannot be reached: .*timeout/ });
});

t.test('a collector that is not there is a failure, not an exception', async (t) => {
  t.match(await uploadTo('http://127.0.0.1:1'), { ok: false, message: /cannot be reached: connect ECONNREFUSED/ });
});

t.test('a stored body that cannot be read is never sent', async (t) => {
  t.match(await uploadTo('http://127.0.0.1:1', new Uint8Array([0xff])), {
    ok: false,
    message: /stored proof is damaged/,
  });
});
