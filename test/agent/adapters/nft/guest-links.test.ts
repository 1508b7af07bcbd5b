/** Devices as sysfs shows them. */
import t from 'tap';
import { readOwnLink } from '../../../../agent/adapters/nft/guest-links.ts';
import { device } from '../../../support/nft-grants.ts';

t.test('a device that exists has its number, and no ports unless it is a bridge', async (t) => {
  const { index, ports } = await readOwnLink(device('lo'));
  t.ok((index ?? 0) > 0);
  t.same(ports, []);
});

t.test('a device that does not exist has neither number nor ports', async (t) => {
  t.same(await readOwnLink(device('br-nowhere0')), { ports: [] });
});
