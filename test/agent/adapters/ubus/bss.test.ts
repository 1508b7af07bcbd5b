import t from 'tap';
import { Bss } from '../../../../agent/adapters/ubus/bss.ts';
import type { DeviceName, Mac } from '../../../../agent/core/model.ts';
import type { StationEvent } from '../../../../agent/ports.ts';

const A = 'aa:bb:cc:00:00:01' as Mac;
const B = 'aa:bb:cc:00:00:02' as Mac;

t.test('an answer that is older than a notification does not undo it', (t) => {
  const events: StationEvent[] = [];
  const bss = new Bss('phy0-ap0' as DeviceName, (event) => events.push(event));
  bss.joined(A);
  bss.askingAll();
  bss.left(A);
  bss.joined(B);
  bss.answeredAll(new Set([A]));
  t.same([...bss.macs], [B]);
  bss.askingAll();
  bss.answeredAll(new Set([A]));
  t.same([...bss.macs], [A]);
  t.same(
    events.map((event) => `${event.kind} ${'mac' in event ? event.mac.slice(-1) : ''}`),
    ['joined 1', 'left 1', 'joined 2', 'joined 1', 'left 2'],
  );
  t.end();
});
