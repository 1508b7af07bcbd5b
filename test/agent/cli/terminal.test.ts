import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import t from 'tap';
import { terminalOf } from '../../../agent/cli/terminal.ts';

/** Streams that record what is done to them. */
function fakeStreams() {
  const done: string[] = [];
  const input = Object.assign(new EventEmitter(), {
    setRawMode: (isRaw: boolean) => done.push(`raw ${isRaw}`),
    resume: () => done.push('resume'),
    pause: () => done.push('pause'),
  });
  const output = Object.assign(new EventEmitter(), { write: (text: string) => done.push(text) });
  return { input, output, done };
}

t.test('the terminal is taken over and given back in reverse order', (t) => {
  const { input, output, done } = fakeStreams();
  const keys: string[] = [];
  let resizes = 0;
  const terminal = terminalOf(input as unknown as ReadStream, output as unknown as WriteStream);
  const giveBack = terminal.takeOver({ onKey: (key) => keys.push(key), onResize: () => resizes++ });
  input.emit('data', Buffer.from('q'));
  output.emit('resize');
  terminal.write('frame');
  giveBack();
  input.emit('data', Buffer.from('x'));
  output.emit('resize');
  t.same(keys, ['q']);
  t.equal(resizes, 1);
  t.same(done, ['raw true', 'resume', '\x1b[?1049h\x1b[?25l', 'frame', '\x1b[?25h\x1b[?1049l', 'pause', 'raw false']);
  t.end();
});
