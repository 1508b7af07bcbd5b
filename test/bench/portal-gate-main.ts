/**
 * How soon a payment opens the gate, seen from the guest's namespace: a used-up session, a probe every millisecond to a server on
 * the internet, then the voucher; the time from its first byte sent to the first probe answered.
 * `node portal-gate-main.ts PORTAL_ADDRESS ECHO_ADDRESS ECHO_PORT`, vouchers as a JSON array on stdin, one line of JSON out.
 */
import { createSocket } from 'node:dgram';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const [portal = '', echo = '', echoPort = '7'] = process.argv.slice(2);
const PROBE_MS = 1;
/** A session is used up when nothing has come back for so long. */
const SILENCE_MS = 60;
const socket = createSocket('udp4');
let answeredMs = 0;
socket.on('message', () => {
  answeredMs = performance.now();
});
socket.on('error', () => {});
const vouchers = JSON.parse(await new Response(process.stdin as never).text()) as readonly object[];
const timesMs: number[] = [];
const answersMs: number[] = [];
for (const voucher of vouchers) {
  await useUp();
  const probing = setInterval(() => probe(1), PROBE_MS);
  await delay(20);
  const beganMs = performance.now();
  const status = await post(JSON.stringify(voucher));
  answersMs.push(performance.now() - beganMs);
  if (status !== 200) throw new Error(`the voucher was answered with ${status}`);
  for (let i = 0; answeredMs < beganMs && i < 500; i++) await delay(1);
  clearInterval(probing);
  timesMs.push(answeredMs - beganMs);
}
console.log(JSON.stringify({ timesMs, answersMs }));
process.exit(0);

function probe(size: number): void {
  socket.send(Buffer.alloc(size), Number(echoPort), echo, () => {});
}

async function useUp(): Promise<void> {
  let lastMs = performance.now();
  while (performance.now() - lastMs < SILENCE_MS) {
    probe(400);
    await delay(1);
    lastMs = Math.max(lastMs, answeredMs);
  }
}

function post(body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'portal.lan', 'content-type': 'application/json', origin: 'http://portal.lan' };
    const sent = request({ host: portal, port: 80, path: '/api/voucher', method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}
