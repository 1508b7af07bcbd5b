/** What monitors of the stand-in daemon are told, against the recording of the real one. */
import t from 'tap';
import { monitoredFromBytes } from '../../../openwrt/node-openwrt-ubus/src/monitor.ts';
import { UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import { ROOT } from '../../support/ubus-daemon/bus-client.ts';
import { MonitorList } from '../../support/ubus-daemon/monitor-list.ts';
import { goldenCase } from '../../support/ubus-golden.ts';

t.test('a monitor is told of each frame in the bytes of the real daemon', (t) => {
  const monitors = new MonitorList();
  const told: string[] = [];
  const monitor = { id: 1, credentials: ROOT, write: (frame: Buffer) => told.push(frame.toString('hex')) };
  t.equal(monitors.invoke(monitor, 'add'), UbusStatus.OK);
  const recorded = goldenCase('monitor').frames.filter(({ type }) => type === 'MONITOR');
  for (const { hex } of recorded) {
    const seen = monitoredFromBytes(Buffer.from(hex as string, 'hex').subarray(12));
    if (seen === undefined) return t.fail('not a monitor message');
    const head = Buffer.alloc(12);
    head.writeUInt8(seen.type, 1);
    head.writeUInt16BE(seen.seq, 2);
    head.writeUInt32BE(seen.peer, 4);
    head.writeUInt32BE(4 + seen.payload.length, 8);
    monitors.tell(seen.clientId, Buffer.concat([head, seen.payload]), seen.isSent);
  }
  t.ok(recorded.length > 8);
  t.same(
    told,
    recorded.map(({ hex }) => hex),
  );
  const guest = { ...monitor, credentials: { uid: 65_534, gid: 0, user: 'nobody', group: 'root' } };
  t.equal(monitors.invoke(guest, 'nosuch'), UbusStatus.PERMISSION_DENIED);
  t.equal(monitors.invoke(monitor, 'nosuch'), UbusStatus.METHOD_NOT_FOUND);
  t.equal(monitors.invoke(monitor, 'remove'), UbusStatus.OK);
  monitors.tell(1, Buffer.from('000000000000000000000004', 'hex'), true);
  t.equal(told.length, recorded.length, 'no more after its end');
  return t.end();
});

t.test('a monitor message without all of its attributes is none', (t) => {
  t.equal(monitoredFromBytes(Buffer.alloc(0)), undefined);
  t.equal(monitoredFromBytes(Buffer.from('0000000800000001', 'hex')), undefined);
  t.end();
});
