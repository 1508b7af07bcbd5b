/** Datagrams from inside a namespace, counted on both ways. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { UDP_SOURCE_PORT } from './addresses.ts';
import type { HandOperations, UdpSent } from './hand-protocol.ts';

const TICK_MS = 5;

export async function sendDatagrams(
  input: HandOperations['udpSend']['input'],
): Promise<{ readonly sent: UdpSent; readonly received: UdpSent }> {
  const sockets = await Promise.all((input.from ?? [undefined]).map((from) => open(input.address, from)));
  const received = sockets.map(countReceived);
  const payload = Buffer.alloc(input.size, 0x55);
  const startedMs = performance.now();
  let packets = 0;
  while (packets < input.packets) {
    const due = Math.min(input.packets, Math.ceil(((performance.now() - startedMs) * input.packetsPerS) / 1_000));
    while (packets < due) {
      sockets[packets % sockets.length]?.send(payload, input.port, input.address, ignoreSendError);
      packets += 1;
    }
    await delay(TICK_MS);
  }
  const endsAt = performance.now() + input.waitMs;
  while (performance.now() < endsAt && sum(received.map((count) => count().packets)) < packets) await delay(TICK_MS);
  for (const socket of sockets) socket.close();
  const total = received.map((count) => count());
  return {
    sent: { packets, bytes: packets * input.size },
    received: { packets: sum(total.map((count) => count.packets)), bytes: sum(total.map((count) => count.bytes)) },
  };
}

export async function receiveDatagrams(
  input: HandOperations['udpReceive']['input'],
): Promise<{ readonly received: UdpSent }> {
  const socket = await open(input.address);
  const received = countReceived(socket);
  const { size, packets, packetsPerS } = input;
  socket.send(JSON.stringify({ size, packets, packetsPerS }), UDP_SOURCE_PORT, input.address, ignoreSendError);
  const endsAt = performance.now() + (packets / packetsPerS) * 1_000 + input.waitMs;
  while (performance.now() < endsAt && received().packets < packets) await delay(TICK_MS);
  socket.close();
  return { received: received() };
}

async function open(address: string, from?: string): Promise<Socket> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 });
  socket.bind(0, from);
  await once(socket, 'listening');
  socket.on('error', () => {
    // An ICMP error belongs to an experiment whose outcome is the count.
  });
  return socket;
}

function countReceived(socket: Socket): () => UdpSent {
  let packets = 0;
  let bytes = 0;
  socket.on('message', (message) => {
    packets += 1;
    bytes += message.length;
  });
  return () => ({ packets, bytes });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The kernel refusing a datagram (no route, filtered locally) is what some experiments are about. */
function ignoreSendError(): void {}
