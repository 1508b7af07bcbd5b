import { endianness } from 'node:os';
import t from 'tap';
import { listeners, listeningAddress } from '../../../../agent/cli/doctor/listeners.ts';

/** 10.77.0.1:2080 and 0.0.0.0:53 listen, 10.77.0.1:80 is a connection; as a kernel of little-endian order writes it. */
const TABLE = `  sl  local_address rem_address   st
   0: 01004D0A:0820 00000000:0000 0A 00000000:00000000
   1: 00000000:0035 00000000:0000 0A 00000000:00000000
   2: 01004D0A:0050 02004D0A:C000 01 00000000:00000000
`;

t.test('listeners are told from connections, and reached where they listen', { skip: endianness() === 'BE' }, (t) => {
  t.same(
    listeners(TABLE).map(({ port }) => port),
    [2080, 53],
  );
  t.equal(listeningAddress(TABLE, 2080), '10.77.0.1');
  t.equal(listeningAddress(TABLE, 53), '127.0.0.1', 'any address: the router’s own');
  t.equal(listeningAddress(TABLE, 80), undefined);
  t.equal(listeningAddress('', 80), undefined);
  t.end();
});
