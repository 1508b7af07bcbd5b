import t from 'tap';
import { guestNetwork, type InterfaceReader } from '../../../agent/adapters/guest-network.ts';
import type { DeviceName } from '../../../agent/core/model.ts';

const GUEST = 'br-guest' as DeviceName;
const SECOND = 'br-guest2' as DeviceName;

const read: InterfaceReader = () => ({
  lo: [{ address: '127.0.0.1', cidr: '127.0.0.1/8' }],
  'br-lan': [{ address: '192.168.1.1', cidr: '192.168.1.1/24' }],
  'br-guest': [
    { address: '10.7.0.1', cidr: '10.7.0.1/24' },
    { address: '2001:db8:7::1', cidr: '2001:db8:7::1/64' },
    { address: 'fe80::1', cidr: 'fe80::1/64' },
  ],
  'br-guest2': [{ address: '10.8.0.1', cidr: null }],
});

t.test('prefixes are those of the guest devices, without link-local ones', (t) => {
  t.strictSame(guestNetwork([GUEST], read).prefixes(), [
    { address: '10.7.0.1', length: 24 },
    { address: '2001:db8:7::1', length: 64 },
  ]);
  t.end();
});

t.test('the portal listens on every address of the guest devices, link-local ones with their zone', (t) => {
  t.strictSame(guestNetwork([GUEST, SECOND], read).addresses(), [
    '10.7.0.1',
    '2001:db8:7::1',
    'fe80::1%br-guest',
    '10.8.0.1',
  ]);
  t.end();
});

t.test('an address without a prefix length binds nobody', (t) => {
  t.strictSame(guestNetwork([SECOND], read).prefixes(), []);
  t.end();
});

t.test('a device that is not there has neither addresses nor prefixes, until it comes', (t) => {
  let interfaces: ReturnType<InterfaceReader> = {};
  const network = guestNetwork([GUEST], () => interfaces);
  t.strictSame([network.addresses(), network.prefixes()], [[], []]);
  interfaces = read();
  t.equal(network.addresses().length, 3);
  t.end();
});

t.test('the real interfaces can be read', (t) => {
  t.strictSame(
    guestNetwork(['lo' as DeviceName])
      .addresses()
      .filter((address) => address === '127.0.0.1'),
    ['127.0.0.1'],
  );
  t.end();
});
