import t from 'tap';
import { messageOf } from '../../../agent/cli/message-of.ts';

t.test('an error is told in one line with the reason behind it', (t) => {
  t.equal(messageOf('text'), 'text');
  t.equal(messageOf(new Error('a\nb')), 'a');
  t.equal(messageOf(new Error('a', { cause: new Error('b') })), 'a: b');
  t.equal(messageOf(new Error('a b', { cause: new Error('b') })), 'a b');
  t.equal(
    messageOf(new Error('a', { cause: Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }) })),
    'a: ECONNREFUSED',
  );
  t.equal(messageOf(new Error('a', { cause: new AggregateError([], '') })), 'a: AggregateError');
  t.end();
});
