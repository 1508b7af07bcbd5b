import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { busNotifier } from '../../../agent/bus/notifier.ts';
import type { Notification } from '../../../openwrt/node-openwrt-ubus/src/subscription.ts';
import { settled } from '../../support/agent-scene.ts';
import { onBus } from '../../support/bus-scene.ts';
import { NOW_S, PHONE, Story } from '../core/support/story.ts';

t.test('subscribers hear a session begin, be paid, be proven, run low and end, as rows', async (t) => {
  const { scene, caller } = await onBus(t);
  const heard: Notification[] = [];
  await new Promise<void>((resolve) => {
    void caller.subscribe('shareagent', { onNotify: (notice) => heard.push(notice), onAttach: () => resolve() });
  });
  await caller.ping();
  const result = await scene.desk.open(PHONE, scene.openRequest());
  t.ok(result.ok);
  scene.download(95_000_000n);
  await scene.sample();
  await scene.proofs.closeInterval();
  scene.driver.dispatch({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  await settled();
  while (heard.length < 5) await sleep(1);
  const told = heard.map(({ type, data }) => ({ type, data }));
  t.match(told, [
    { type: 'session.start', data: { id: 1, mac: PHONE, state: 'pending' } },
    { type: 'payment', data: { paid_units: '1050', accepted_units: '1050', state: 'active' } },
    { type: 'session.low', data: { id: 1, left_bytes: 5_000_000n } },
    { type: 'proof', data: { seq: 0, bytes: 95_000_000n, end_s: NOW_S + 1n } },
    { type: 'session.end', data: { id: 1, reason: 'guest-left' } },
  ]);
});

t.test('while nobody listens nothing is worked out, and a row that cannot be made is logged, not thrown', (t) => {
  const story = new Story();
  const before = story.state;
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 5n, dayS: 0n });
  const logged: string[] = [];
  const keep = (_: object, event: string) => void logged.push(event);
  const log = { info: keep, warn: keep, error: keep };
  const unscripted = () => {
    throw new Error('unscripted');
  };
  const report = {
    status: unscripted,
    sessions: unscripted,
    channels: unscripted,
    earnings: unscripted,
    proofs: unscripted,
    price: unscripted,
    rowContext: unscripted,
  };
  busNotifier({ bus: { isHeard: () => false, notify: unscripted }, report, log })(before, story.state);
  t.same(logged, []);
  busNotifier({ bus: { isHeard: () => true, notify: unscripted }, report, log })(before, story.state);
  t.same(logged, ['bus-notification-failed']);
  t.end();
});
