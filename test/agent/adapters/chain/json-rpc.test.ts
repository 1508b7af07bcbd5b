import t from 'tap';
import { createJsonRpc, dataFrom, quantityFrom } from '../../../../agent/adapters/chain/json-rpc.ts';

const URL = 'https://node.example/v3/an-api-key?more=secrets';

t.test('posts one request and returns its result', async (t) => {
  const posted: { url: string; init: RequestInit }[] = [];
  const rpc = rpcWith((url, init) => {
    posted.push({ url: String(url), init: init ?? {} });
    return Response.json({ jsonrpc: '2.0', id: 1, result: '0x7a69' });
  });
  t.equal(await rpc.request('eth_chainId', []), '0x7a69');
  t.equal(posted[0]?.url, URL);
  t.match(posted[0]?.init, { method: 'POST', redirect: 'error', headers: { 'content-type': 'application/json' } });
  t.strictSame(JSON.parse(String(posted[0]?.init.body)), { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
});

t.test('a result of null is a result', async (t) => {
  t.equal(await rpcWith(() => Response.json({ id: 1, result: null })).request('eth_getTransactionReceipt', []), null);
});

t.test('an answer that cannot be used is unreachable and says what came', async (t) => {
  const answers: [string, () => Response, RegExp][] = [
    ['an error page', () => new Response('<html>Bad gateway</html>', { status: 502 }), /HTTP status 502$/],
    ['not JSON', () => new Response('<html>Please log in</html>'), /answer is not JSON: <html>Please log in/],
    ['another request', () => Response.json({ id: 7, result: '0x' }), /expected the result of request 1, got/],
    ['no result', () => Response.json({ id: 1 }), /expected the result of request 1/],
    ['a list', () => Response.json([{ id: 1, result: '0x' }]), /expected the result of request 1/],
    ['nothing', () => new Response(null), /answer is not JSON/],
    ['far too much', () => new Response('9'.repeat(1_048_577)), /longer than 1048576 bytes/],
    ['a rate limit', () => rpcError({ code: -32_005, message: 'limit exceeded' }, 429), /limit exceeded/],
    ['an internal error', () => rpcError({ code: -32_603, message: 'internal error' }), /internal error/],
    ['an unnamed error', () => rpcError({}), /unnamed error/],
  ];
  for (const [name, answer, message] of answers) {
    await t.rejects(rpcWith(answer).request('eth_call', []), { code: 'CHAIN_UNREACHABLE', message }, name);
  }
});

t.test('a revert is refused and carries what the contract returned', async (t) => {
  const reverts: [object, string | undefined][] = [
    [{ code: 3, message: 'execution reverted', data: '0xdeadbeef' }, '0xdeadbeef'],
    [{ code: -32_000, message: 'execution reverted' }, undefined],
    [{ code: -32_015, message: 'VM execution error.', data: '0xdeadbeef' }, '0xdeadbeef'],
    [{ code: 3, message: 'execution reverted', data: { data: '0xdeadbeef' } }, '0xdeadbeef'],
    [{ code: 3, message: 'execution reverted', data: 'Reverted 0x' }, undefined],
  ];
  for (const [error, revertData] of reverts) {
    await t.rejects(rpcWith(() => rpcError(error)).request('eth_call', []), { code: 'CHAIN_REFUSED', revertData });
  }
});

t.test('a network error names the host and the reason, never the rest of the address', async (t) => {
  const cause = new Error('connect ECONNREFUSED 192.0.2.1:443');
  const rpc = rpcWith(() => Promise.reject(new TypeError('fetch failed', { cause })));
  const error = await rpc.request('eth_chainId', []).catch((thrown: Error) => thrown);
  t.match(error, { code: 'CHAIN_UNREACHABLE', message: /^eth_chainId at node\.example: connect ECONNREFUSED/ });
  t.notMatch(JSON.stringify(error) + String(error), /api-key|secrets/);
  const odd = rpcWith(() => Promise.reject('just a string'));
  await t.rejects(odd.request('eth_chainId', []), { code: 'CHAIN_UNREACHABLE', message: /just a string/ });
});

t.test('a node that does not answer in time is unreachable', async (t) => {
  const rpc = rpcWith((_url, init) => never(init), { timeoutMs: 5 });
  await t.rejects(rpc.request('eth_chainId', []), { code: 'CHAIN_UNREACHABLE', message: /no answer within 5 ms/ });
});

t.test('stopping the agent ends a request under way', async (t) => {
  const stop = new AbortController();
  const rpc = rpcWith((_url, init) => never(init), { timeoutMs: 60_000, signal: stop.signal });
  const pending = rpc.request('eth_chainId', []);
  stop.abort();
  await t.rejects(pending, { code: 'CHAIN_UNREACHABLE', message: /aborted/ });
});

t.test('results are checked for the form that the method gives', (t) => {
  t.equal(quantityFrom('0x10', 'eth_chainId'), 16n);
  t.equal(dataFrom('0x', 'eth_call'), '0x');
  t.equal(dataFrom('0xAbcd', 'eth_call'), '0xAbcd');
  for (const value of [undefined, null, 16, '16', '0x', '0xzz', {}, `0x${'f'.repeat(65)}`]) {
    t.throws(() => quantityFrom(value, 'eth_chainId'), { code: 'CHAIN_UNREACHABLE', message: /hex quantity/ });
  }
  for (const value of [undefined, null, 16, '0x1', '0xzz', 'abcd', [], 'x'.repeat(500)]) {
    t.throws(() => dataFrom(value, 'eth_call'), { code: 'CHAIN_UNREACHABLE', message: /hex data/ });
  }
  t.end();
});

type Fetch = (...args: Parameters<typeof fetch>) => Response | Promise<Response>;

function rpcWith(answer: Fetch, deps: { timeoutMs?: number; signal?: AbortSignal } = {}) {
  return createJsonRpc({ url: URL, fetch: async (...args) => await answer(...args), timeoutMs: 1_000, ...deps });
}

function rpcError(error: object, status = 200): Response {
  return Response.json({ jsonrpc: '2.0', id: 1, error }, { status });
}

/** What fetch does while a server stays silent. */
function never(init: RequestInit | undefined): Promise<Response> {
  return new Promise((_resolve, reject) => {
    // Holds the process open, as a socket would: the timer of AbortSignal.timeout does not.
    const socket = setTimeout(() => undefined, 10_000);
    init?.signal?.addEventListener('abort', () => {
      clearTimeout(socket);
      reject(init.signal?.reason);
    });
  });
}
