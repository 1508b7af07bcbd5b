import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { appendWhole, replaceWholeFile } from '../../../agent/adapters/whole-file.ts';
import '../../support/own-testdir.ts';

const MODULE = fileURLToPath(new URL('../../../agent/adapters/whole-file.ts', import.meta.url));
const isRoot = process.getuid?.() === 0;

/** Calls a function of the module where no file may grow beyond 1 KiB: the kernel then writes a part, and refuses the rest. */
function withFullDisk(call: string): string {
  const program = `import * as files from ${JSON.stringify(MODULE)};
    try { ${call}; console.log('done'); } catch (error) { console.log(error.code); }`;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const script = 'ulimit -f 1; trap "" XFSZ; exec "$0" --input-type=module -e "$1"';
  return execFileSync('bash', ['-c', script, process.execPath, program], { encoding: 'utf8', env }).trim();
}

t.test('a file is replaced whole, with its mode, and nothing is left beside it', (t) => {
  const home = t.testdir({ owner: 'old' });
  replaceWholeFile(`${home}/owner`, 'new\n', 0o600);
  t.equal(readFileSync(`${home}/owner`, 'utf8'), 'new\n');
  t.equal(statSync(`${home}/owner`).mode & 0o777, 0o600);
  t.same(readdirSync(home), ['owner']);
  t.end();
});

t.test('on a full disk the file stays as it was', (t) => {
  const home = t.testdir({ owner: 'old', book: 'line 1\n' });
  t.equal(withFullDisk(`files.replaceWholeFile(${JSON.stringify(`${home}/owner`)}, 'x'.repeat(5000), 0o600)`), 'EFBIG');
  t.equal(readFileSync(`${home}/owner`, 'utf8'), 'old');
  t.equal(withFullDisk(`files.appendWhole(${JSON.stringify(`${home}/book`)}, 'x'.repeat(5000), 0o600)`), 'EFBIG');
  t.equal(readFileSync(`${home}/book`, 'utf8'), 'line 1\n', 'no half line is left');
  t.equal(withFullDisk(`files.appendWhole(${JSON.stringify(`${home}/book`)}, 'line 2\\n', 0o600)`), 'done');
  t.equal(readFileSync(`${home}/book`, 'utf8'), 'line 1\nline 2\n');
  t.same(readdirSync(home).sort(), ['book', 'owner']);
  t.end();
});

t.test('a link that waits under the name is not followed', (t) => {
  const home = t.testdir({ victim: 'precious' });
  symlinkSync(`${home}/victim`, `${home}/owner`);
  symlinkSync(`${home}/victim`, `${home}/owner.new`);
  replaceWholeFile(`${home}/owner`, 'new\n', 0o600);
  t.equal(readFileSync(`${home}/owner`, 'utf8'), 'new\n');
  symlinkSync(`${home}/victim`, `${home}/book`);
  t.throws(() => appendWhole(`${home}/book`, 'line\n', 0o600), { code: 'ELOOP' });
  t.equal(readFileSync(`${home}/victim`, 'utf8'), 'precious');
  t.end();
});

t.test('what root writes belongs to whom the directory belongs', { skip: isRoot ? false : 'only root can' }, (t) => {
  const home = t.testdir({});
  mkdirSync(`${home}/state`);
  execFileSync('chown', ['65534:65534', `${home}/state`]);
  replaceWholeFile(`${home}/state/owner`, 'x\n', 0o600);
  appendWhole(`${home}/state/book`, 'x\n', 0o600);
  t.same([statSync(`${home}/state/owner`).uid, statSync(`${home}/state/book`).gid], [65534, 65534]);
  t.end();
});
