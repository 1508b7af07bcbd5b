import t from 'tap';
import * as v from 'valibot';
import type { GuestView } from '../../agent/ports.ts';
import { acceptsCaptiveJson, captiveState, captiveUrls } from '../../captive-portal/captive-api.ts';
import { byGuest, cafe, GUEST_ADDRESS, HOST, view } from './support/cafe.ts';

/** RFC 8908 section 5 and the IANA registry: these keys and no others but Android's. */
const CAPTIVE_STATE = v.strictObject({
  captive: v.boolean(),
  'user-portal-url': v.pipe(v.string(), v.url()),
  'venue-info-url': v.optional(v.pipe(v.string(), v.url())),
  'can-extend-session': v.boolean(),
  'x-android-use-custom-tabs': v.optional(v.literal(361_335_020)),
  'bytes-remaining': v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  'seconds-remaining': v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
});

const URLS = { portal: `http://${HOST}/`, venue: `http://${HOST}/` };
const ASK = { ...byGuest('GET', '/captive-portal/api'), headers: { host: HOST, accept: 'application/captive+json' } };

async function answerFor(shown: GuestView) {
  const { app } = await cafe({ view: () => shown });
  return await app.inject(ASK);
}

t.test('a guest without credit is captive, with the way to the page and nothing about what is left', async (t) => {
  const response = await answerFor(view({ bytesRemaining: 0n, secondsRemaining: 0 }));
  t.equal(response.statusCode, 200);
  t.equal(response.headers['content-type'], 'application/captive+json');
  t.equal(response.headers['cache-control'], 'no-store');
  t.equal(response.headers.vary, 'accept');
  t.strictSame(response.json(), {
    captive: true,
    'user-portal-url': 'http://portal.lan/',
    'venue-info-url': 'http://portal.lan/',
    'can-extend-session': true,
  });
});

t.test('a guest online sees the bytes the kernel will still pass and the seconds the credit lasts', async (t) => {
  const response = await answerFor(
    view({ isOnline: true, phase: 'active', bytesRemaining: 8_400_123n, secondsRemaining: 61.7 }),
  );
  t.strictSame(response.json(), {
    captive: false,
    'user-portal-url': 'http://portal.lan/',
    'venue-info-url': 'http://portal.lan/',
    'can-extend-session': true,
    'bytes-remaining': 8_400_123,
    'seconds-remaining': 61,
  });
});

t.test('a session whose data is used up is captive again', async (t) => {
  t.equal((await answerFor(view({ phase: 'grace' }))).json().captive, true);
});

t.test('without a limit on data nothing is said about bytes', (t) => {
  const state = captiveState(URLS, view({ isOnline: true, bytesRemaining: (1n << 63n) - 1n }));
  t.notOk('bytes-remaining' in state);
  t.end();
});

t.test('numbers stay exact for every client', (t) => {
  const state = captiveState(URLS, view({ isOnline: true, bytesRemaining: 1n << 60n }));
  t.equal(state['bytes-remaining'], Number.MAX_SAFE_INTEGER);
  t.end();
});

t.test('over https the page is https too, and Android opens it in the real browser', (t) => {
  t.strictSame(captiveUrls({ host: HOST, port: 2080 }, true), {
    portal: 'https://portal.lan:2080/',
    venue: 'https://portal.lan:2080/',
  });
  t.match(captiveUrls({ host: HOST, port: 2080, venueUrl: 'https://cafe.example/' }, false), {
    portal: 'http://portal.lan/',
    venue: 'https://cafe.example/',
  });
  const state = captiveState(captiveUrls({ host: HOST, port: 2080 }, true), undefined);
  t.ok(v.is(CAPTIVE_STATE, state));
  t.equal(state['x-android-use-custom-tabs'], 361_335_020);
  t.end();
});

t.test('a device that the kernel does not know is captive and told where to go', async (t) => {
  const { app } = await cafe();
  const response = await app.inject({ ...ASK, remoteAddress: '192.0.2.9' });
  t.match(response.json(), { captive: true, 'user-portal-url': 'http://portal.lan/' });
});

t.test('every state fits the schema and the 4 kB that Android reads', async (t) => {
  const phases = ['none', 'trial', 'pending', 'active', 'grace', 'closing', 'settled', 'failed'] as const;
  for (const phase of phases) {
    for (const isOnline of [true, false]) {
      const response = await answerFor(view({ phase, isOnline, bytesRemaining: 5n, secondsRemaining: -3 }));
      t.ok(v.is(CAPTIVE_STATE, response.json()), `${phase} ${isOnline}`);
      t.ok(response.rawPayload.length <= 4_096);
    }
  }
});

t.test('a browser that opens the API is sent to the page', async (t) => {
  const { app } = await cafe();
  for (const accept of ['text/html,application/xhtml+xml,*/*;q=0.8', '*/*', undefined]) {
    const headers = accept === undefined ? { host: HOST } : { host: HOST, accept };
    const response = await app.inject({ url: '/captive-portal/api', headers, remoteAddress: GUEST_ADDRESS });
    t.equal(response.statusCode, 302);
    t.equal(response.headers.location, 'http://portal.lan/');
    t.equal(response.headers.vary, 'accept');
  }
});

t.test('the media type is recognised in any list and case', (t) => {
  t.ok(acceptsCaptiveJson('application/captive+json'));
  t.ok(acceptsCaptiveJson('text/html, Application/Captive+JSON;q=0.9'));
  t.notOk(acceptsCaptiveJson('application/json'));
  t.notOk(acceptsCaptiveJson(undefined));
  t.end();
});
