import fc from 'fast-check';
import t from 'tap';
import { displayWidth, fitWidth, printable } from '../../../agent/cli/display-width.ts';

t.test('wide characters take two columns, combining marks none', (t) => {
  t.equal(displayWidth('WiFi'), 4);
  t.equal(displayWidth('咖啡'), 4);
  t.equal(displayWidth('ｗ'), 2);
  t.equal(displayWidth('한글'), 4);
  t.equal(displayWidth('☕🙂'), 4);
  t.equal(displayWidth('👩‍👩‍👧'), 2);
  t.equal(displayWidth('e\u0301'), 1);
  t.equal(displayWidth('\u200b'), 0);
  t.equal(displayWidth('Café'), 4);
  t.equal(displayWidth(''), 0);
  t.end();
});

t.test('what does not fit is cut and marked', (t) => {
  t.equal(fitWidth('abc', 3), 'abc');
  t.equal(fitWidth('abcd', 3), 'ab~');
  t.equal(fitWidth('咖啡馆', 4), '咖~');
  t.equal(fitWidth('abc', 1), '~');
  t.equal(fitWidth('abc', 0), '');
  t.end();
});

t.test('property: fitted text never takes more than its columns', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.nat({ max: 20 }), (text, width) => {
      return displayWidth(fitWidth(text, width)) <= width;
    }),
  );
  t.end();
});

t.test('nothing that moves the cursor or reverses text reaches the terminal', (t) => {
  t.equal(printable('a\x1b[2Jb\r\n\x07\u202ec\x9b'), 'a\ufffd[2Jb\ufffd\ufffd\ufffd\ufffdc\ufffd');
  t.equal(printable('Café ☕'), 'Café ☕');
  t.end();
});
