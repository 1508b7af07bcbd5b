/** Reads whole frames from a client's socket as ubusd does: what stands in the socket when its end is seen too is lost. */
import type { Socket } from 'node:net';
import { FrameError, FrameReader } from '../../../openwrt/node-openwrt-ubus/src/frame-reader.ts';

/** Frames are views, valid only until `onFrame` returns. */
export function takeFrames(socket: Socket, onFrame: (frame: Buffer) => void): void {
  const reader = new FrameReader(onFrame);
  let unread: Buffer[] = [];
  const read = (): void => {
    const chunks = unread;
    unread = [];
    try {
      for (const chunk of chunks) reader.push(chunk);
    } catch (error) {
      // A length that cannot be: the real daemon closes without a word. So does this one when what it would have to
      // forward has outgrown the limit by the caller's name; the real one sends it, and its reader hangs up.
      if (!(error instanceof FrameError || error instanceof RangeError)) throw error;
      socket.destroy();
    }
  };
  socket.on('data', (chunk) => {
    // ubusd is told of the end together with the bytes before it, and then does not read them. Node tells of the end one
    // turn after the bytes: so they wait for that turn.
    if (unread.push(chunk) === 1) setImmediate(() => setImmediate(read));
  });
  const lose = (): void => {
    unread = [];
  };
  socket.on('end', lose);
  socket.on('error', () => socket.destroy());
  socket.on('close', lose);
}
