/**
 * The lab's internet: HTTP over IPv4 and IPv6 (files of any size, a sink, probe answers), UDP echo, sink and source.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { HTTP_PORT, OTHER_PORT, UDP_ECHO_PORT, UDP_SINK_PORT, UDP_SOURCE_PORT } from './addresses.ts';
import type { HandOperations } from './hand-protocol.ts';
import { payloadAt } from './payload.ts';

const TICK_MS = 5;
/** An experiment asks for at most this much; anything else is a mistake in the lab. */
const MAX_SOURCE_PACKETS = 2_000_000;

type Totals = { requests: number; uploadedBytes: number; udpPackets: number; udpBytes: number };

const totals: Totals = { requests: 0, uploadedBytes: 0, udpPackets: 0, udpBytes: 0 };

/** `addresses` are the servers' own: an answer must leave from the address that was asked, so UDP has a socket for each. */
export async function serve(input: HandOperations['serve']['input']): Promise<object> {
  for (const port of [HTTP_PORT, OTHER_PORT]) {
    const server = createServer(handle);
    server.keepAliveTimeout = 1_000;
    server.listen(port, '::');
    await once(server, 'listening');
  }
  for (const address of input.addresses) {
    await listen(address, UDP_ECHO_PORT, (socket, message, from) =>
      socket.send(message, from.port, from.address, ignoreSendError),
    );
    await listen(address, UDP_SINK_PORT, (_socket, message) => {
      totals.udpPackets += 1;
      totals.udpBytes += message.length;
    });
    await listen(address, UDP_SOURCE_PORT, sendSource);
  }
  return {};
}

export function served(): HandOperations['served']['output'] {
  const now = { ...totals };
  Object.assign(totals, { requests: 0, uploadedBytes: 0, udpPackets: 0, udpBytes: 0 });
  return now;
}

function handle(request: IncomingMessage, response: ServerResponse): void {
  totals.requests += 1;
  const url = new URL(request.url ?? '/', 'http://internet');
  const bytes = /^\/bytes\/(\d{1,12})$/.exec(url.pathname)?.[1];
  if (bytes !== undefined)
    sendFile(response, Number(bytes), Number(url.searchParams.get('bytesPerS') ?? Number.POSITIVE_INFINITY));
  else if (url.pathname === '/sink') takeUpload(request, response);
  else if (url.pathname === '/generate_204') response.writeHead(204).end();
  else response.writeHead(200, { 'content-type': 'text/plain' }).end('the internet\n');
}

function sendFile(response: ServerResponse, bytes: number, bytesPerS: number): void {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes });
  const startedMs = performance.now();
  let sent = 0;
  const step = (): void => {
    while (sent < bytes && !response.destroyed) {
      const allowed = ((performance.now() - startedMs) * bytesPerS) / 1_000 - sent;
      if (allowed <= 0) {
        setTimeout(step, TICK_MS);
        return;
      }
      const chunk = payloadAt(sent, Math.min(bytes - sent, Math.ceil(allowed)));
      sent += chunk.length;
      if (!response.write(chunk)) {
        response.once('drain', step);
        return;
      }
    }
    response.end();
  };
  step();
}

function takeUpload(request: IncomingMessage, response: ServerResponse): void {
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    totals.uploadedBytes += chunk.length;
  });
  request.once('end', () => response.writeHead(200).end(String(size)));
}

async function listen(
  address: string,
  port: number,
  take: (socket: Socket, message: Buffer, from: RemoteInfo) => void,
): Promise<void> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 8 << 20 });
  socket.on('message', (message, from) => take(socket, message, from));
  socket.on('error', ignoreSendError);
  socket.bind(port, address);
  await once(socket, 'listening');
}

function sendSource(socket: Socket, message: Buffer, from: RemoteInfo): void {
  const wanted = JSON.parse(message.toString('utf8')) as { size: number; packets: number; packetsPerS: number };
  const packets = Math.min(wanted.packets, MAX_SOURCE_PACKETS);
  const payload = Buffer.alloc(wanted.size, 0x55);
  const startedMs = performance.now();
  let sent = 0;
  const step = (): void => {
    const due = Math.min(packets, Math.ceil(((performance.now() - startedMs) * wanted.packetsPerS) / 1_000));
    while (sent < due) {
      socket.send(payload, from.port, from.address, ignoreSendError);
      sent += 1;
    }
    if (sent < packets) setTimeout(step, TICK_MS);
  };
  step();
}

/** A guest that was cut off answers with ICMP errors; the server goes on. */
function ignoreSendError(): void {}
