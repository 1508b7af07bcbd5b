/** A terminal that a full-screen view may take over, and gets back as it was. */
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';

export type Terminal = {
  /** Takes the screen over: alternate buffer, no cursor, keys one by one. Returns what gives it back. */
  readonly takeOver: (listener: TerminalListener) => () => void;
  readonly write: (text: string) => void;
};

export type TerminalListener = { readonly onKey: (key: string) => void; readonly onResize: () => void };

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

export function terminalOf(input: ReadStream, output: WriteStream): Terminal {
  return {
    write: (text) => {
      output.write(text);
    },
    takeOver: ({ onKey, onResize }) => {
      const onData = (data: Buffer): void => onKey(data.toString('utf8'));
      input.setRawMode(true);
      input.on('data', onData);
      input.resume();
      output.on('resize', onResize);
      output.write(ENTER);
      return () => {
        output.write(LEAVE);
        output.off('resize', onResize);
        input.off('data', onData);
        input.pause();
        input.setRawMode(false);
      };
    },
  };
}

/** Asks line by line. A hidden answer is not echoed; Ctrl-C ends the process as usual. */
export function questionsAt(input: ReadStream, output: WriteStream) {
  return async (question: string, { isHidden }: { readonly isHidden: boolean }): Promise<string> => {
    output.write(question);
    const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
    const lines = createInterface({ input, output: isHidden ? silent : output, terminal: isHidden });
    lines.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));
    try {
      return await lines.question('');
    } finally {
      lines.close();
      if (isHidden) output.write('\n');
    }
  };
}

/**
 * Draws a frame over the one before without flicker: each line is cleared and written, and all that is below goes with
 * the last one. Cleared first: after a full line the cursor still stands on its last character.
 */
export function redrawText(lines: readonly string[]): string {
  const last = lines.length - 1;
  return `\x1b[H${lines.map((line, i) => `\x1b[${i === last ? 'J' : '2K'}${line}`).join('\r\n')}`;
}
