/** The process inside a namespace: reads one JSON request a line, answers one JSON line. Ends when its stdin ends. */
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { closeEvents, openEvents } from './hand-events.ts';
import { abortFlow, flowState, request, startDownload, startUpload } from './hand-http.ts';
import type { ConnectOutcome, HandOperations } from './hand-protocol.ts';
import { receiveDatagrams, sendDatagrams } from './hand-udp.ts';
import { serve, served } from './internet-server.ts';

type Handlers = {
  readonly [Name in keyof HandOperations]: (
    input: HandOperations[Name]['input'],
  ) => Promise<HandOperations[Name]['output']>;
};

const handlers: Handlers = {
  ping: () => Promise.resolve({}),
  http: request,
  download: startDownload,
  upload: startUpload,
  flow: ({ flow }) => Promise.resolve(flowState(flow)),
  abort: ({ flow }) => Promise.resolve(abortFlow(flow)),
  connect: tryConnect,
  listen,
  udpSend: sendDatagrams,
  udpReceive: receiveDatagrams,
  resolve: resolveName,
  serve,
  served: () => Promise.resolve(served()),
  eventsOpen: (input) =>
    openEvents(input, (data) => say({ stream: input.stream, ...(data === undefined ? {} : { data }) })),
  eventsClose: ({ stream }) => Promise.resolve(closeEvents(stream)),
};

createInterface({ input: process.stdin })
  .on('line', (line) => void answer(line))
  .on('close', () => process.exit(0));

async function answer(line: string): Promise<void> {
  const { id, name, input } = JSON.parse(line) as { id: number; name: keyof HandOperations; input: never };
  try {
    say({ id, output: await handlers[name](input) });
  } catch (error) {
    say({ id, error: `${name}: ${error instanceof Error ? error.message : String(error)}` });
  }
}

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function tryConnect(input: HandOperations['connect']['input']): Promise<{ outcome: ConnectOutcome }> {
  return new Promise((resolve) => {
    const socket = connect({ host: input.address, port: input.port });
    const finish = (outcome: ConnectOutcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ outcome });
    };
    const timer = setTimeout(() => finish('timeout'), input.timeoutMs);
    socket.once('connect', () => finish('open'));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      finish(error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET' ? 'refused' : 'unreachable');
    });
  });
}

async function listen({ port }: HandOperations['listen']['input']): Promise<object> {
  const server = createServer((socket) => socket.end('here\n')).listen(port, '::');
  await once(server, 'listening');
  return {};
}

async function resolveName(input: HandOperations['resolve']['input']): Promise<{ addresses: string[] }> {
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  resolver.setServers([input.server]);
  return { addresses: await (input.family === 4 ? resolver.resolve4(input.name) : resolver.resolve6(input.name)) };
}
