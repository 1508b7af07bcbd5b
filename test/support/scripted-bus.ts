/** A ubusd that answers as a test says: for refusals and races that the stand-in daemon, where everybody is root, has not. */
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { BlobWriter } from '../../openwrt/node-openwrt-ubus/src/blob.ts';
import { FrameReader } from '../../openwrt/node-openwrt-ubus/src/frame-reader.ts';
import {
  bytesFromMessage,
  type Message,
  MessageType,
  messageFromBytes,
  type OutgoingAttributes,
} from '../../openwrt/node-openwrt-ubus/src/message.ts';

/** DATA to send before the status, and the status. */
export type Answer = { readonly data?: readonly OutgoingAttributes[]; readonly status: number };

export type ScriptedBus = {
  /** Types of all messages received so far, in order. */
  readonly received: readonly Message[];
  /** Sends a message to whoever connected last. */
  readonly send: (type: number, seq: number, peer: number, attributes: OutgoingAttributes) => void;
  readonly close: () => void;
};

/** Requests that `answer` says nothing about get STATUS 0, and ADD_OBJECT a fresh id from 1024. */
export async function startScriptedBus(
  path: string,
  answer: (message: Message) => Answer | undefined,
): Promise<ScriptedBus> {
  const received: Message[] = [];
  const writer = new BlobWriter();
  const sockets: Socket[] = [];
  let nextId = 1_024;
  const send = (type: number, seq: number, peer: number, attributes: OutgoingAttributes): void => {
    sockets.at(-1)?.write(bytesFromMessage(writer, type, seq, peer, attributes));
  };
  const usual = ({ type }: Message): Answer => {
    if (type !== MessageType.ADD_OBJECT) return { status: 0 };
    nextId += 1;
    return { data: [{ objectId: nextId }], status: 0 };
  };
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    const reader = new FrameReader((frame) => {
      const message = messageFromBytes(frame);
      received.push(message);
      const { data = [], status } = answer(message) ?? usual(message);
      for (const attributes of data) send(MessageType.DATA, message.seq, message.peer, attributes);
      send(MessageType.STATUS, message.seq, message.peer, { status });
    });
    socket.on('data', (chunk) => reader.push(chunk));
    send(MessageType.HELLO, 0, 77, {});
  });
  rmSync(path, { force: true });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { received, send, close };
}
