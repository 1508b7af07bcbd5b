/**
 * Asks without waiting for answers, thousands of requests in one piece on each of many connections, and reads nothing:
 * `node pipeline-storm-main.ts ADDRESS PORT CONNECTIONS MS`; tells how many connections were ended.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [address = '', port = '0', connections = '0', ms = '0'] = process.argv.slice(2);
const PIECE = 'GET / HTTP/1.1\r\nHost: portal.lan\r\n\r\n'.repeat(2_000);
const endMs = performance.now() + Number(ms);
let ended = 0;

async function storm(): Promise<void> {
  while (performance.now() < endMs) {
    await new Promise<void>((resolve) => {
      const socket = connect({ host: address, port: Number(port) }).pause();
      const more = (): void => {
        if (!socket.destroyed && performance.now() < endMs) socket.write(PIECE, more);
        else socket.destroy();
      };
      socket.on('error', () => {}).once('connect', more);
      socket.once('close', () => {
        ended += 1;
        resolve();
      });
      setTimeout(() => socket.destroy(), Number(ms)).unref();
    });
    await delay(20);
  }
}

await Promise.all(Array.from({ length: Number(connections) }, storm));
console.log(JSON.stringify({ ended }));
process.exit(0);
