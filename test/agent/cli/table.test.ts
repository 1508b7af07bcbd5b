import t from 'tap';
import { left, pad, renderFacts, renderTable, right } from '../../../agent/cli/table.ts';

t.test('columns line up for wide characters too', (t) => {
  const rows = [
    ['1', '咖啡', 'x'],
    ['20', 'Tea', 'yy'],
  ];
  t.equal(
    renderTable([right('ID'), left('NAME'), left('END')], rows, 'none'),
    ['ID  NAME  END', ' 1  咖啡  x', '20  Tea   yy'].join('\n'),
  );
  t.end();
});

t.test('an empty table is a sentence', (t) => {
  t.equal(renderTable([left('ID')], [], 'No sessions.'), 'No sessions.');
  t.end();
});

t.test('a cell cannot break out of its line', (t) => {
  t.equal(renderTable([left('A'), left('B')], [['x\ny', '\x1b[31m']], ''), 'A    B\nx\ufffdy  \ufffd[31m');
  t.end();
});

t.test('a short row leaves its columns empty', (t) => {
  t.equal(renderTable([left('A'), left('B')], [['x']], ''), 'A  B\nx');
  t.end();
});

t.test('facts stand behind their names', (t) => {
  t.equal(
    renderFacts([
      ['a', '1'],
      ['bbb', '2'],
    ]),
    'a    1\nbbb  2',
  );
  t.end();
});

t.test('padding never cuts', (t) => {
  t.equal(pad('abc', 2, 'left'), 'abc');
  t.equal(pad('a', 3, 'right'), '  a');
  t.end();
});
