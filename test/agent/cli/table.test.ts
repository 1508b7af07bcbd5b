import t from 'tap';
import { left, pad, renderFacts, renderTable, right, roomOf } from '../../../agent/cli/table.ts';
import type { Terminal } from '../../../agent/cli/terminal.ts';

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

t.test('where there is no room columns are left out by rank, and named; those without a rank never are', (t) => {
  const columns = [left('A'), left('FIRST', 1), right('B'), left('SECOND', 2)];
  const render = (room: number) => renderTable(columns, [['a', 'xxxxx', 'b', 'yyyyyy']], '', room).split('\n');
  t.same(render(20), ['A  FIRST  B  SECOND', 'a  xxxxx  b  yyyyyy']);
  t.same(render(19), render(20));
  t.same(render(18), ['A  B  SECOND', 'a  b  yyyyyy', 'Not shown: FIRST. All are 19 columns wide.']);
  t.same(render(3), ['A  B', 'a  b', 'Not shown: FIRST, SECOND. All are 19 columns wide.']);
  t.end();
});

t.test('a terminal has its own room, a pipe has room for all', (t) => {
  const size = () => ({ columns: 80, rows: 24 });
  t.equal(roomOf({ size }), Number.POSITIVE_INFINITY);
  const terminal = { onKey: () => () => undefined } as unknown as Terminal;
  t.equal(roomOf({ size, terminal }), 80);
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
