/**
 * Guests of the portal bench, run in a guest's namespace: each from an address of its own, all polling, some of them with an
 * event stream. `node portal-guests-main.ts PORTAL_ADDRESS GUESTS STREAMS SECONDS`, one line of JSON when done.
 */
import { Agent, get, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { guestAddress } from './portal-address.ts';

/** How often a page without event streams asks. */
const POLL_MS = 2_000;
const ARRIVAL_MS = 20;
const HEADERS = { host: 'portal.lan' };

const [address = '', guests = '0', streams = '0', seconds = '0'] = process.argv.slice(2);
const agents = Array.from({ length: Number(guests) }, (_, i) => {
  return new Agent({ keepAlive: true, maxSockets: 1, localAddress: guestAddress(i) } as object);
});
const count = { polls: 0, events: 0, failures: 0, streamsOpen: 0 };
const waitsMs: number[] = [];
let isRunning = true;

const everybody: Promise<void>[] = [];
// One after the other, as people come: the router lets in 100 new connections a second and no more.
for (const [i, agent] of agents.entries()) {
  const status = await ask(i, agent, 'POST', '/api/trial');
  if (status !== 200) throw new Error(`guest ${i} got ${status} for its trial`);
  everybody.push(poll(agent, i));
  await delay(ARRIVAL_MS);
}
for (let i = 0; i < Number(streams); i++) {
  follow(i);
  await delay(ARRIVAL_MS);
}
// Only from now on: the house is full.
waitsMs.length = 0;
setTimeout(stop, Number(seconds) * 1_000);
await Promise.all(everybody);
waitsMs.sort((a, b) => a - b);
const p99Ms = waitsMs[Math.floor(waitsMs.length * 0.99)] ?? 0;
console.log(JSON.stringify({ ...count, p99Ms }));
process.exit(0);

function stop(): void {
  isRunning = false;
}

async function poll(agent: Agent, i: number): Promise<void> {
  while (isRunning) {
    const beganMs = performance.now();
    const status = await ask(i, agent, 'GET', '/api/view').catch(() => 0);
    waitsMs.push(performance.now() - beganMs);
    if (status === 200) count.polls += 1;
    else count.failures += 1;
    await delay(POLL_MS);
  }
}

/** Status of one request from the i-th guest. */
function ask(i: number, agent: Agent, method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const to = { host: address, port: 80, path, method, agent, localAddress: guestAddress(i), headers: HEADERS };
    const sent = request(to, (response: IncomingMessage) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end();
  });
}

function follow(i: number): void {
  const to = {
    host: address,
    port: 80,
    path: '/api/events',
    agent: false,
    localAddress: guestAddress(i),
    headers: HEADERS,
  };
  get(to, (response) => {
    if (response.statusCode !== 200) {
      count.failures += 1;
      return;
    }
    count.streamsOpen += 1;
    response.on('data', () => {
      count.events += 1;
    });
    response.once('close', () => {
      count.streamsOpen -= 1;
    });
  }).on('error', () => {
    count.failures += 1;
  });
}
