/** Uploads over sockets: those that pass Fastify by, and those that do not, are answered alike. */
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import t, { type Test } from 'tap';
import { ProofLogError } from '../../fleet/proof-log.ts';
import { MAX_UPLOAD_BYTES } from '../../protocol/traffic-proof-wire.ts';
import { bodyOf, FakeRouter } from './fake-router.ts';
import { type OpenCollector, openForTest } from './open-collector.ts';

type Reply = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly json: { readonly verdict?: string; readonly error?: { readonly code: string } };
};

/** Both ways to one answer: a plain post, and one that names a charset, which makes Fastify parse it. */
const TYPES = ['application/cbor', 'application/cbor; charset=binary'] as const;

async function listen(t: Test, changes: Parameters<typeof openForTest>[1] = {}): Promise<OpenCollector> {
  const collector = await openForTest(t, changes);
  await collector.app.listen({ host: '127.0.0.1', port: 0 });
  return collector;
}

function portOf({ app }: OpenCollector): number {
  return (app.server.address() as AddressInfo).port;
}

async function post(collector: OpenCollector, body: Uint8Array, headers: object = {}): Promise<Reply> {
  const options = { port: portOf(collector), method: 'POST', path: '/v1/proofs' };
  const all = { 'content-type': TYPES[0], 'content-length': body.length, ...headers };
  const outgoing = request({ ...options, headers: all, agent: false }).end(body);
  const [answer] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return { status: answer.statusCode, headers: answer.headers, json: JSON.parse(text) };
}

t.test('a receipt, what is missing, and every refusal: the same both ways', async (t) => {
  const collector = await listen(t, { limits: { stranger: { perS: 0.01, burst: 3 } }, monotonicMs: () => 0 });
  const answers: unknown[][] = [];
  for (const [i, type] of TYPES.entries()) {
    const router = new FakeRouter(['router', 'other'][i]);
    const uploads = Array.from({ length: 5 }, () => router.next([])).map(bodyOf);
    const said: Reply[] = [];
    for (const body of [uploads[0], uploads[0], uploads[4], Buffer.from('garbage')])
      said.push(await post(collector, body as Uint8Array, { 'content-type': type }));
    answers.push(
      said.map(({ status, headers, json }) => [
        status,
        headers['content-type'],
        headers['ssp-missing'],
        json.verdict ?? json.error?.code,
      ]),
    );
  }
  const json = 'application/json; charset=utf-8';
  t.strictSame(answers[0], [
    [200, json, undefined, 'valid'],
    [200, json, undefined, 'valid'],
    [200, json, '1-3', 'gap'],
    [400, json, undefined, 'malformed'],
  ]);
  t.strictSame(answers[0], answers[1]);
  await post(collector, Buffer.from('more garbage'));
  for (const type of TYPES) {
    const { status, headers } = await post(collector, Buffer.from('garbage'), { 'content-type': type });
    t.strictSame([status, Number(headers['retry-after']) >= 1], [429, true]);
  }
});

t.test('what is no plain post goes the other way: too long, of another type, without a length', async (t) => {
  const collector = await listen(t);
  const [first, second] = [new FakeRouter('router'), new FakeRouter('other')];
  t.equal((await post(collector, new Uint8Array(MAX_UPLOAD_BYTES + 1))).status, 413);
  t.equal((await post(collector, Buffer.from('{}'), { 'content-type': 'application/json' })).status, 415);
  t.equal((await post(collector, new Uint8Array())).status, 400);
  const outgoing = request({ port: portOf(collector), method: 'POST', path: '/v1/proofs', agent: false });
  outgoing.setHeader('content-type', TYPES[0]).setHeader('transfer-encoding', 'chunked');
  outgoing.end(bodyOf(first.next([])));
  const [answer] = await once(outgoing, 'response');
  t.equal(answer.resume().statusCode, 200);
  const usages = Array.from({ length: 60 }, (_, guest) => ({ guest, up: 1n, down: 1n, paid: 1n }));
  const large = bodyOf(second.next(usages));
  t.ok(large.length > 16 * 1024);
  t.equal((await post(collector, large)).json.verdict, 'valid');
});

t.test('a body may come in pieces; one that never ends is waited for, and takes nobody with it', async (t) => {
  const collector = await listen(t);
  const body = bodyOf(new FakeRouter().next([]));
  const head = `POST /v1/proofs HTTP/1.1\r\nhost: test\r\ncontent-type: ${TYPES[0]}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const gone = connect(portOf(collector), '127.0.0.1');
  gone.write(head);
  gone.write(body.subarray(0, 9), () => gone.destroy());
  await once(gone, 'close');
  const socket = connect(portOf(collector), '127.0.0.1');
  socket.write(head);
  for (const at of [0, 50, 100]) {
    socket.write(body.subarray(at, at === 100 ? undefined : at + 50));
    await new Promise((resolve) => setImmediate(resolve));
  }
  const [answer] = await once(socket, 'data');
  t.match(String(answer), /^HTTP\/1.1 200 OK[\s\S]*"verdict":"valid"/);
  socket.destroy();
});

t.test('a full disk and a broken one are said as such', async (t) => {
  for (const [code, status] of [['LOG_FULL', 507] as const, ['LOG_FAILED', 503] as const]) {
    const collector = await listen(t);
    collector.log.appendAll = () => Promise.reject(new ProofLogError('as the test says', { code }));
    const reply = await post(collector, bodyOf(new FakeRouter().next([])));
    t.strictSame([reply.status, Number(reply.headers['retry-after']) >= 5], [status, true]);
  }
});
