/** Web sockets from inside a namespace, by the client that Node brings along. */
import type { HandOperations } from './hand-protocol.ts';

const sockets = new Map<string, WebSocket>();

/** Resolves when the socket is open. `listener` gets each text message, and undefined when it is closed. */
export function openSocket(
  input: HandOperations['socketOpen']['input'],
  listener: (text: string | undefined) => void,
): Promise<object> {
  const url = new URL(input.url);
  if (input.address !== undefined) url.hostname = input.address.includes(':') ? `[${input.address}]` : input.address;
  // Node's client takes headers, which browsers do not: the portal insists on its own Host.
  const options = { headers: { ...input.headers, host: new URL(input.url).host } } as unknown as string[];
  const socket = new WebSocket(url, options);
  sockets.set(input.socket, socket);
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve({}));
    socket.addEventListener('error', () => reject(new Error(`web socket ${input.url} failed`)));
    socket.addEventListener('message', (event) => listener(String(event.data)));
    socket.addEventListener('close', () => listener(undefined));
  });
}

export function sendOnSocket(name: string, text: string): object {
  const socket = sockets.get(name);
  if (socket === undefined) throw new Error(`there is no web socket ${name}`);
  socket.send(text);
  return {};
}

export function closeSocket(name: string): object {
  sockets.get(name)?.close();
  sockets.delete(name);
  return {};
}
