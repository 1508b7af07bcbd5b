/** Server-sent events read from inside a namespace: the portal's live view of a guest. */
import { type ClientRequest, request as httpRequest } from 'node:http';
import { createInterface } from 'node:readline';
import type { HandOperations } from './hand-protocol.ts';

const streams = new Map<string, ClientRequest>();

/** Resolves once the server has accepted. `listener` gets the data of each event, and undefined at the end. */
export function openEvents(
  input: HandOperations['eventsOpen']['input'],
  listener: (data: string | undefined) => void,
): Promise<object> {
  const url = new URL(input.url);
  return new Promise((resolve, reject) => {
    const client = httpRequest({
      host: input.address,
      port: url.port === '' ? 80 : Number(url.port),
      path: url.pathname,
      headers: { host: url.host, accept: 'text/event-stream' },
      agent: false,
    });
    streams.set(input.stream, client);
    client.on('error', (error) => {
      reject(error);
      listener(undefined);
    });
    client.once('response', (response) => {
      if (response.statusCode !== 200) {
        client.destroy();
        reject(new Error(`event stream ${input.url} answered ${response.statusCode}`));
        return;
      }
      resolve({});
      response.once('close', () => listener(undefined));
      const lines = createInterface({ input: response });
      lines.on('line', (line) => {
        if (line.startsWith('data: ')) listener(line.slice('data: '.length));
      });
      // A stream that breaks has also closed, which is told.
      lines.on('error', () => undefined);
    });
    client.end();
  });
}

export function closeEvents(stream: string): object {
  streams.get(stream)?.destroy();
  streams.delete(stream);
  return {};
}
