/** A JSON-RPC endpoint before a real node that goes wrong as it is told. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** honest: passed on. stale: answers of the block it stood at. lying: every channel holds a fortune. */
export type ProxyMode = 'honest' | 'garbage' | 'wrong-chain' | 'stale' | 'busy' | 'silent' | 'lying';

export type RpcProxy = {
  readonly url: string;
  mode: ProxyMode;
  /** Block that a stale endpoint stands at. */
  staleBlock: bigint;
  close(): Promise<void>;
};

type Request = { readonly id: number; readonly method: string; readonly params: readonly unknown[] };

/** (deposit, claimed, exitAt, closed) of a channel that never was. */
const FORTUNE = `0x${(1n << 60n).toString(16).padStart(64, '0')}${'00'.repeat(96)}`;

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      if (proxy.mode === 'silent') return;
      if (proxy.mode === 'busy') {
        response.writeHead(429).end('slow down');
        return;
      }
      void answer(body).then(
        (text) => response.writeHead(200).end(text),
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: RpcProxy = {
    url: `http://127.0.0.1:${port}`,
    mode: 'honest',
    staleBlock: 0n,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };

  async function answer(body: string): Promise<string> {
    const { id, method, params } = JSON.parse(body) as Request;
    const say = (result: unknown) => JSON.stringify({ jsonrpc: '2.0', id, result });
    if (proxy.mode === 'garbage') return say({ surprise: [method] });
    if (proxy.mode === 'wrong-chain' && method === 'eth_chainId') return say('0x1');
    if (proxy.mode === 'lying' && method === 'eth_call') return say(FORTUNE);
    if (proxy.mode === 'stale' && method === 'eth_blockNumber') return say(`0x${proxy.staleBlock.toString(16)}`);
    const asked = proxy.mode === 'stale' ? atBlock(params, proxy.staleBlock) : params;
    const passedOn = JSON.stringify({ jsonrpc: '2.0', id, method, params: asked });
    const headers = { 'content-type': 'application/json' };
    return (await fetch(target, { method: 'POST', headers, body: passedOn })).text();
  }
  return proxy;
}

function atBlock(params: readonly unknown[], block: bigint): readonly unknown[] {
  return params.map((param) => (param === 'latest' || param === 'pending' ? `0x${block.toString(16)}` : param));
}
