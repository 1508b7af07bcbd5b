/** The numbers in the last line of `make test` are only as good as the reading of what the runners print. */
import t from 'tap';
import { countsOfSummary, countsOfTap, TapProgress } from '../support/test-counts.ts';
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
