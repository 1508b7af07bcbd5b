import t from 'tap';
import { enforcementPlan } from '../../../agent/core/enforcement.ts';
import { kindsOf, PHONE, PHONE_IP, Story, testConfig, WLAN0 } from './support/story.ts';

t.test('a grant carries the cumulative limit, what was used, and the station as it is now', (t) => {
  const story = new Story();
  const id = story.paid();
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  story.counted(id, 500n);
  t.same(enforcementPlan(story.state, story.config, story.nowMs), {
    guestDevices: ['br-guest'],
    portalPort: 2050,
    grants: [
      {
        sessionId: id,
        limitBytes: 100_000_000n,
        usedBytes: 500n,
        counters: new Map([[`down:${PHONE_IP}`, 500n]]),
        stations: [{ mac: PHONE, port: WLAN0, addresses: [PHONE_IP] }],
        isOnline: true,
      },
    ],
  });
  t.end();
});

t.test('a used-up session is held offline for the grace time, then not served', (t) => {
  const story = new Story();
  const id = story.paid();
  story.counted(id, 100_000_000n);
  const grants = () => enforcementPlan(story.state, story.config, story.nowMs).grants;
  t.match(grants(), [{ isOnline: false }]);
  story.wait(30_000);
  t.same(grants(), []);
  t.end();
});

t.test('ended sessions are not served, and a rate limit goes to every grant', (t) => {
  const rate = { downBytesPerS: 1n, upBytesPerS: 2n };
  const config = testConfig((base) => ({ ...base, network: { ...base.network, rate } }));
  const story = new Story(config);
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 9_000n, dayS: 0n });
  t.match(enforcementPlan(story.state, config, story.nowMs).grants, [
    { rate, stations: [{ mac: PHONE, addresses: [] }] },
  ]);
  t.ok(kindsOf(story.send({ kind: 'session-left', sessionId: 1, reason: 'owner' })).includes('reconcile'));
  t.same(enforcementPlan(story.state, config, story.nowMs).grants, []);
  t.end();
});

t.test('a station that no port is known of is served without a port', (t) => {
  const story = new Story();
  story.send({ kind: 'address-leased', mac: PHONE, address: PHONE_IP });
  story.send({ kind: 'trial-started', mac: PHONE, bytes: 10n, dayS: 0n });
  const [grant] = enforcementPlan(story.state, story.config, story.nowMs).grants;
  t.same(grant?.stations, [{ mac: PHONE, addresses: [PHONE_IP] }]);
  t.end();
});
