import t from 'tap';
import { concernsGuests } from '../../../../agent/adapters/ubus/interface-notification.ts';
import type { DeviceName } from '../../../../agent/core/model.ts';

const GUESTS = ['br-guest' as DeviceName];

t.test('updates and downs of guest devices count, by whichever field names the device', (t) => {
  t.ok(concernsGuests('interface.update', { interface: 'guest', l3_device: 'br-guest' }, GUESTS));
  t.ok(concernsGuests('interface.down', { interface: 'guest', device: 'br-guest' }, GUESTS));
  t.ok(concernsGuests('interface.down', { interface: 'guest' }, GUESTS), 'one that is down may not say its device');
  t.end();
});

t.test('other interfaces and other notifications do not', (t) => {
  t.notOk(concernsGuests('interface.update', { interface: 'lan', l3_device: 'br-lan', device: 'br-lan' }, GUESTS));
  t.notOk(concernsGuests('interface.created', { l3_device: 'br-guest' }, GUESTS));
  t.end();
});
