import t from 'tap';
import { parseHostname } from '../../../agent/adapters/hostname.ts';

t.test('a host name keeps what is harmless and is absent if nothing is left', (t) => {
  t.equal(parseHostname('phone1'), 'phone1');
  t.equal(parseHostname('Ada’s <b>iPhone</b>'), 'AdasbiPhoneb');
  t.equal(parseHostname('x'.repeat(100)), 'x'.repeat(63));
  for (const nothing of ['*', '', '☕', '$(;)', undefined, null, 5, ['a']]) t.equal(parseHostname(nothing), undefined);
  t.end();
});
