/**
 * Traffic for the meter bench, run inside a namespace: `server PORT`, or `client ADDRESS PORT KIND MS` with KIND one of
 * udp-up, udp-down, tcp-up, tcp-down (8 flows). Ends by itself; what came through is read from the interfaces.
 */
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';

const CHUNK = Buffer.alloc(1_200, 0x55);
const TCP_FLOWS = 8;
/** Datagrams between two turns of the event loop: enough to overrun any quota in a moment. */
const BURST = 64;

const [role, ...rest] = process.argv.slice(2);
if (role === 'server') serve(Number(rest[0]));
else await drive(rest[0] as string, Number(rest[1]), rest[2] as string, Number(rest[3]));

function serve(port: number): void {
  const socket = createSocket({ type: 'udp6', recvBufferSize: 1 << 22 });
  socket.on('message', (message, from) => {
    const ms = Number(/^flood (\d+)$/.exec(message.toString('latin1', 0, 20))?.[1] ?? 0);
    if (ms > 0) flood((done) => socket.send(CHUNK, from.port, from.address, done), ms);
  });
  socket.bind(port, '::');
  const server = createServer((stream) => {
    stream.on('error', () => stream.destroy());
    stream.on('data', (data) => {
      if (data.length < 8 && data.toString('latin1').startsWith('down')) pump(stream);
    });
  });
  server.listen(port, '::', () => console.log('ready'));
}

async function drive(address: string, port: number, kind: string, ms: number): Promise<void> {
  if (kind.startsWith('udp')) {
    const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4', recvBufferSize: 1 << 22 });
    socket.on('error', () => undefined);
    if (kind === 'udp-up') flood((done) => socket.send(CHUNK, port, address, done), ms);
    else socket.send(`flood ${ms}`, port, address);
  } else {
    for (let i = 0; i < TCP_FLOWS; i++) {
      const stream = connect(port, address);
      stream.on('error', () => stream.destroy());
      stream.on('connect', () => (kind === 'tcp-up' ? pump(stream) : stream.write('down')));
      stream.resume();
    }
  }
  await new Promise((done) => setTimeout(done, ms + 300));
  process.exit(0);
}

function flood(send: (done: () => void) => void, ms: number): void {
  const endsAt = performance.now() + ms;
  const turn = (): void => {
    if (performance.now() >= endsAt) return;
    for (let i = 0; i < BURST; i++) send(() => undefined);
    setImmediate(turn);
  };
  turn();
}

function pump(stream: import('node:net').Socket): void {
  const block = Buffer.alloc(65_536, 0x55);
  const write = (): void => {
    while (!stream.destroyed && stream.write(block));
  };
  stream.on('drain', write);
  write();
}
