/**
 * A long-lived `nft -j -i`: one JSON document per line in, answers and errors out. Ten times cheaper than a process for
 * each transaction. After each document goes one that nft refuses while parsing, without asking the kernel, with words
 * that nothing else makes it say: so the end of every answer is seen.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { NFT_TIMEOUT_MS, type NftPlace, startNftDialogue } from './nft-child.ts';
import { NftError } from './nft-error.ts';

/** A JSON schema that no nft knows. It complains in two lines. */
const END_QUESTION = '{"nftables":[{"metainfo":{"json_schema_version":99}}]}\n';
const END_COMPLAINT = /^[^{]*Error: Schema version 99 /;
const END_ANSWER = /^[^{]*Error: Metainfo verification failed/;
/** The line editor inside nft remembers every line it read; a fresh process forgets them. */
const MAX_WRITTEN_BYTES = 4 << 20;

type Waiting = {
  readonly lines: string[];
  readonly resolve: (lines: readonly string[]) => void;
  readonly reject: (e: Error) => void;
};

export class NftDialogue {
  readonly #place: NftPlace;
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Waiting | undefined;
  #partial = '';
  #written = 0;

  constructor(place: NftPlace) {
    this.#place = place;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Lines that nft answered to one document: JSON of lists, text of errors; none for a transaction that was applied.
   * One question at a time; the caller takes turns.
   */
  async ask(document: string): Promise<readonly string[]> {
    if (this.#written > MAX_WRITTEN_BYTES) this.close();
    this.#child ??= this.#start();
    const child = this.#child;
    return await new Promise<readonly string[]>((resolve, reject) => {
      const timer = setTimeout(
        () => this.#fail(new NftError(`nft did not answer within ${NFT_TIMEOUT_MS} ms`, { code: 'NFT_NO_ANSWER' })),
        NFT_TIMEOUT_MS,
      );
      this.#waiting = {
        lines: [],
        resolve: (lines) => {
          clearTimeout(timer);
          resolve(lines);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#written += document.length;
      child.stdin.write(`${document}\n${END_QUESTION}`);
    });
  }

  close(): void {
    const child = this.#child;
    this.#child = undefined;
    this.#written = 0;
    this.#partial = '';
    child?.stdin.end();
    child?.kill();
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = startNftDialogue(this.#place);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (child === this.#child) this.#read(text);
    });
    const end = (cause?: Error): void => {
      if (child !== this.#child) return;
      this.#fail(
        new NftError('nft ended', { code: 'NFT_NO_ANSWER', stderr: this.#waiting?.lines.join('\n') ?? '', cause }),
      );
    };
    child.once('error', end);
    child.once('close', () => end());
    child.stdin.on('error', () => undefined);
    return child;
  }

  #read(text: string): void {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    for (const line of lines) {
      if (END_ANSWER.test(line)) {
        const waiting = this.#waiting;
        this.#waiting = undefined;
        waiting?.resolve(waiting.lines);
      } else if (line.trim() !== '' && !END_COMPLAINT.test(line)) {
        this.#waiting?.lines.push(line);
      }
    }
  }

  #fail(error: NftError): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.close();
    waiting?.reject(error);
  }
}
