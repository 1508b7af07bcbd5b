import t from 'tap';
import { jsonIn } from '../../protocol/json-text.ts';

t.test('what is JSON is its value, what is none is undefined', (t) => {
  t.strictSame(jsonIn('{"a":["1",null]}'), { a: ['1', null] });
  t.equal(jsonIn('null'), null);
  for (const text of ['', 'undefined', '{', '{"a":1}x', '<html>']) t.equal(jsonIn(text), undefined, text);
  t.end();
});
