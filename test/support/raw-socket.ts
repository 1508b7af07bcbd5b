/** A bare ubus connection for replays: whole frames out, whole frames in, nothing understood. */
import { connect } from 'node:net';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { FrameReader } from '../../openwrt/node-openwrt-ubus/src/frame-reader.ts';

/** A frame that does not come within this time fails the test with a sentence. */
const FRAME_TIMEOUT_MS = 30_000;

export class RawSocket {
  readonly socket: Duplex;
  readonly #frames: Buffer[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  static async open(path: string): Promise<RawSocket> {
    const socket = connect({ path });
    const raw = new RawSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return raw;
  }

  /** The same over what stands for a socket. */
  static over(readable: Readable, writable: Writable): RawSocket {
    return new RawSocket(Duplex.from({ readable, writable }));
  }

  constructor(socket: Duplex) {
    this.socket = socket;
    const reader = new FrameReader((frame) => {
      this.#frames.push(Buffer.from(frame));
      this.#wake();
    });
    socket.on('data', (chunk) => reader.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isEnded = true;
      this.#wake();
    });
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Next frame, undefined at the end of the stream. */
  async read(): Promise<Buffer | undefined> {
    const isReady = (): boolean => this.#frames.length > 0 || this.#isEnded;
    if (!isReady()) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error('no frame within 30 s')), FRAME_TIMEOUT_MS);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#frames.shift();
  }

  /** Frames received and not yet read. */
  get waiting(): number {
    return this.#frames.length;
  }

  close(): void {
    this.socket.destroy();
  }
}
