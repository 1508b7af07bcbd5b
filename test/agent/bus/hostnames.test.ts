import t from 'tap';
import { Hostnames } from '../../../agent/bus/hostnames.ts';
import type { IpAddress, Mac } from '../../../agent/core/model.ts';

const address = '10.0.0.2' as IpAddress;
const macOf = (n: number) =>
  `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}` as Mac;

t.test('the last name counts, and a lease without one does not take it away', (t) => {
  const names = new Hostnames();
  names.heard({ mac: macOf(1), address, hostname: 'old' });
  names.heard({ mac: macOf(1), address, hostname: 'phone' });
  names.heard({ mac: macOf(1), address });
  t.equal(names.of(macOf(1)), 'phone');
  t.equal(names.of(macOf(2)), undefined);
  t.end();
});

t.test('guests who change their MAC address cannot fill the memory', (t) => {
  const names = new Hostnames();
  for (let n = 0; n < 2_048; n++) names.heard({ mac: macOf(n), address, hostname: `h${n}` });
  names.heard({ mac: macOf(0), address, hostname: 'again' });
  names.heard({ mac: macOf(5_000), address, hostname: 'new' });
  t.equal(names.of(macOf(0)), 'again');
  t.equal(names.of(macOf(1)), undefined, 'the one heard longest ago went');
  t.equal(names.of(macOf(5_000)), 'new');
  t.end();
});
