import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { COMMANDS } from '../../../agent/cli/command-line.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { listenSample, runLine } from './recording-io.ts';

const PATH = join(import.meta.dirname, '../../../docs/cli.md');
const WRONG_FILE = "config price 'price'\n\toption per_mbb '1'\n\toption per_minute 'abc'\n";
/** WRITE_DOCS=1 writes the outputs instead of comparing them. */
const isWriting = process.env['WRITE_DOCS'] === '1';

t.test('every example in docs/cli.md is what the command prints', async (t) => {
  const socket = await listenSample(t);
  const wrongFile = join(temporaryDirectory(t), 'wrong-file');
  writeFileSync(wrongFile, WRONG_FILE);
  const outputOf = async (line: string): Promise<string> => {
    const args = line.split(' ').map((word) => (word === 'wrong-file' ? wrongFile : word));
    const { out, err } = await runLine([...args, '--socket', socket], {
      monotonicMs: () => 0,
      sleep: () => Promise.resolve(),
    });
    return [out, err]
      .filter((text) => text !== '')
      .join('\n')
      .replaceAll(wrongFile, 'wrong-file');
  };
  const pieces = readFileSync(PATH, 'utf8').split(/(?<=^```)$/m);
  const written: string[] = [];
  for (const piece of pieces) {
    const line = /^\n\$ shareagent (.*)\n/.exec(piece)?.[1];
    const fresh = line === undefined ? piece : `\n$ shareagent ${line}\n${await outputOf(line)}\n\`\`\``;
    if (!isWriting) t.equal(piece, fresh, line ?? 'text');
    written.push(fresh);
  }
  t.ok(pieces.length > 16, 'the examples were found');
  if (isWriting) writeFileSync(PATH, written.join(''));
});

t.test('docs/cli.md has a section for every command', (t) => {
  const text = readFileSync(PATH, 'utf8');
  for (const { name } of COMMANDS.filter(({ name }) => name !== 'help')) t.match(text, `\n## shareagent ${name}\n`);
  t.end();
});
