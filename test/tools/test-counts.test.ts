/** The numbers in the last line of `make test` are only as good as the reading of what the runners print. */
import t from 'tap';
import { longestFirst } from '../support/lanes.ts';
import { countsOfProgram, countsOfSummary, countsOfTap, TapProgress } from '../support/test-counts.ts';
import { hasRuntimeCode } from '../support/untested-modules.ts';

t.test('tap says how many tests passed and failed in its last comment', (t) => {
  t.same(countsOfTap('# { total: 60, pass: 60 }\n'), { passed: 60, failed: 0 });
  t.same(countsOfTap('# { total: 3, pass: 1, fail: 1, skip: 1 }\n'), { passed: 1, failed: 1 });
  t.same(countsOfTap('# { total: 1, pass: 1 }\n# { total: 2, fail: 2 }\n'), { passed: 0, failed: 2 });
  t.end();
});

t.test('a tap run that ended early has no counts', (t) => {
  t.equal(countsOfTap(''), undefined);
  t.equal(countsOfTap('ok 1 - a\n'), undefined);
  t.equal(countsOfTap('    # { total: 60, pass: 60 }\n'), undefined, 'of one file, not of all');
  t.end();
});

t.test('our own runners end in a line of their own', (t) => {
  t.same(countsOfSummary('12 passed, 0 failed\n'), { passed: 12, failed: 0 });
  t.same(countsOfSummary('1 passed, 0 failed\nmore\n2 passed, 3 failed\nend'), { passed: 2, failed: 3 });
  t.same(countsOfSummary('1 passed, 0 failed (4 s)\n'), { passed: 1, failed: 0 });
  t.equal(countsOfSummary('said: 12 passed, 0 failed'), undefined);
  t.equal(countsOfSummary(''), undefined);
  t.end();
});

const TAP = `TAP version 14
# Subtest: test/a.test.ts
    # Subtest: works
        ok 1 - should be equal
        1..1
    ok 1 - works # time=1ms
    1..1
ok 1 - test/a.test.ts # time=2ms
# Subtest: test/b.test.ts
    # Subtest: breaks
        not ok 1 - should be equal
          ---
          diff: |
            -1
            +2
          ...
        1..1
    not ok 1 - breaks # time=1ms
not ok 2 - test/b.test.ts # time=2ms
  ---
  exitCode: 1
  ...

File      | % Stmts | % Branch
 units.ts |   73.33 |       40
1..2
# { total: 2, pass: 1, fail: 1 }
`;

t.test('the checks of one program are counted, the lines that sum a subtest up are not', (t) => {
  const good =
    '# Subtest: a\n    # Subtest: b\n        ok 1 - x\n        ok 2 - y # SKIP no\n        1..2\n    ok 1 - b\n    1..1\nok 1 - a # time=1ms\n1..1\n';
  t.same(countsOfProgram(good), { counts: { passed: 1, failed: 0 }, isComplete: true });
  t.same(countsOfProgram(good.replace(/1\.\.1\n$/, '')), { counts: { passed: 1, failed: 0 }, isComplete: false });
  const bad = '    ok 1 - x\n    not ok 2 - y\n      ---\n      ...\n    1..2\nnot ok 1 - a\nok 2 - z\n1..2\n';
  t.same(countsOfProgram(bad), { counts: { passed: 2, failed: 1 }, isComplete: true });
  const miscounted = '    ok 1 - x\n    1..2\nnot ok 1 - a\n1..1\n';
  t.same(countsOfProgram(miscounted).counts, { passed: 1, failed: 1 }, 'a subtest may fail though its checks passed');
  t.same(countsOfProgram('not ok 1 - later # TODO\n1..1\n').counts, { passed: 0, failed: 0 });
  t.same(countsOfProgram('1..0\n'), { counts: { passed: 0, failed: 0 }, isComplete: false }, 'nothing was checked');
  t.end();
});

for (const size of [1, 7, 10_000]) {
  t.test(`of a TAP stream in pieces of ${size} characters files, failures, coverage and totals are shown`, (t) => {
    const progress = new TapProgress();
    let shown = '';
    for (let at = 0; at < TAP.length; at += size) shown += progress.filter(TAP.slice(at, at + size));
    t.equal(
      shown,
      `ok 1 - test/a.test.ts # time=2ms
        not ok 1 - should be equal
          ---
          diff: |
            -1
            +2
          ...
    not ok 1 - breaks # time=1ms
not ok 2 - test/b.test.ts # time=2ms
  ---
  exitCode: 1
  ...

File      | % Stmts | % Branch
 units.ts |   73.33 |       40
# { total: 2, pass: 1, fail: 1 }
`,
    );
    t.end();
  });
}

t.test('a module of types only has nothing to test', (t) => {
  t.notOk(hasRuntimeCode("/** doc */\nimport type { A } from './a.ts';\nexport type B = A;\n// const x = 1;\n"));
  t.notOk(hasRuntimeCode('export interface A {\n  const: string;\n}\n'));
  for (const code of ['export const a = 1;', 'const a = 1;', 'export async function f() {}', 'export class A {}']) {
    t.ok(hasRuntimeCode(code), code);
  }
  t.end();
});

t.test('the long files begin first, in the order given, and the others by name', (t) => {
  t.same(longestFirst(['c', 'b', 'a', 'long'], ['longest', 'long']), ['long', 'a', 'b', 'c']);
  t.end();
});
