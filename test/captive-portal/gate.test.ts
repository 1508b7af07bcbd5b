import type { IncomingMessage } from 'node:http';
import t from 'tap';
import { type Admission, admit, redirectBody } from '../../captive-portal/gate.ts';
import { byGuest, cafe, GUEST_ADDRESS, HOST, view } from './support/cafe.ts';

/** What systems ask to learn whether they are behind a portal (reference: each vendor's own probe). */
const PROBES = [
  'http://connectivitycheck.gstatic.com/generate_204',
  'http://www.google.com/gen_204',
  'http://play.googleapis.com/generate_204',
  'http://clients3.google.com/generate_204',
  'http://connectivitycheck.android.com/generate_204',
  'http://connectivity.samsung.com/generate_204',
  'http://connectivitycheck.platform.hicloud.com/generate_204',
  'http://connect.rom.miui.com/generate_204',
  'http://wifi.vivo.com.cn/generate_204',
  'http://captive.apple.com/hotspot-detect.html',
  'http://www.apple.com/library/test/success.html',
  'http://www.msftconnecttest.com/connecttest.txt',
  'http://ipv6.msftconnecttest.com/connecttest.txt',
  'http://www.msftncsi.com/ncsi.txt',
  'http://detectportal.firefox.com/canonical.html',
  'http://detectportal.firefox.com/success.txt?ipv4',
  'http://spectrum.s3.amazonaws.com/kindle-wifi/wifistub.html',
  'http://network-test.debian.org/nm',
  'http://ipv4.connman.net/online/status.html',
] as const;

t.test('every probe of every system is sent to the page', async (t) => {
  const { app } = await cafe();
  for (const probe of PROBES) {
    const { host, pathname, search } = new URL(probe);
    const response = await app.inject({ url: `${pathname}${search}`, headers: { host }, remoteAddress: GUEST_ADDRESS });
    t.equal(response.statusCode, 302, probe);
    t.equal(response.headers.location, 'http://portal.lan/');
    t.equal(response.headers['cache-control'], 'no-store');
    t.equal(response.headers.connection, 'close');
    t.ok(
      response.rawPayload.length > 4 && response.rawPayload.length <= 1_024,
      'Android takes a body of 4 bytes for none',
    );
  }
});

t.test('any method, path and body for another host is sent to the page without asking the desk', async (t) => {
  const { app } = await cafe();
  const headers = { host: 'example.org' };
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'] as const) {
    for (const url of [
      '/',
      '/api/view',
      '/api/open',
      '/captive-portal/api',
      '/pass',
      '/%zz',
      `/${'a'.repeat(3_000)}`,
    ]) {
      const response = await app.inject({ method, url, headers, remoteAddress: '192.0.2.9' });
      t.equal(response.statusCode, 302, `${method} ${url.slice(0, 30)}`);
      t.equal(response.headers.location, 'http://portal.lan/');
    }
  }
  const posted = await app.inject({
    method: 'POST',
    url: '/form',
    headers: { ...headers, 'content-type': 'text/xml' },
    payload: '<a>',
  });
  t.equal(posted.statusCode, 302);
});

t.test("at the portal's own name strays go to the page, and strays in the API are told so", async (t) => {
  const { app } = await cafe();
  const stray = await app.inject(byGuest('GET', '/hotspot-detect.html'));
  t.equal(stray.statusCode, 302);
  t.equal(stray.headers.location, 'http://portal.lan/');
  const api = await app.inject(byGuest('GET', '/api/secrets'));
  t.equal(api.statusCode, 404);
  t.equal(api.json().reason, 'not-found');
  t.equal((await app.inject(byGuest('POST', '/api/view', {}))).statusCode, 404);
  t.equal((await app.inject(byGuest('GET', '/api/..%2f..%2fetc%2fpasswd'))).statusCode, 404);
  t.equal((await app.inject(byGuest('GET', '/../../etc/passwd'))).statusCode, 302);
});

t.test("an address that is too long or cannot be decoded is refused at the portal's own name", async (t) => {
  const { app } = await cafe();
  const long = await app.inject(byGuest('GET', `/${'a'.repeat(3_000)}`));
  t.equal(long.statusCode, 414);
  t.equal(long.json().reason, 'url-too-long');
  const bad = await app.inject(byGuest('GET', '/api/%zz'));
  t.equal(bad.statusCode, 400);
  t.equal(bad.json().reason, 'malformed');
});

t.test('a post from another website is refused before anything is done', async (t) => {
  const { app } = await cafe();
  for (const origin of [
    'http://evil.example',
    'null',
    'http://portal.lan.evil.example',
    'http://evil.example:80/portal.lan',
  ]) {
    for (const url of ['/api/leave', '/pass', '/leave']) {
      const request = byGuest('POST', url, {});
      const response = await app.inject({ ...request, headers: { ...request.headers, origin } });
      t.equal(response.statusCode, 403, `${origin} ${url}`);
      t.equal(response.json().reason, 'foreign-origin');
    }
  }
});

t.test('a post of an old browser that names no origin is served', async (t) => {
  const { app } = await cafe({ leave: () => Promise.resolve({ ok: true, view: view() }) });
  const response = await app.inject({ ...byGuest('POST', '/api/leave'), headers: { host: `${HOST}:80` } });
  t.equal(response.statusCode, 200);
});

t.test("the portal's name is compared without case, port and final dot", (t) => {
  const kinds = (...hosts: string[]): Admission['kind'] =>
    admit(
      request(
        'GET',
        hosts.flatMap((host) => ['Host', host]),
      ),
      HOST,
    ).kind;
  t.equal(kinds('portal.lan'), 'admitted');
  t.equal(kinds('PORTAL.lan:2080'), 'admitted');
  t.equal(kinds('portal.lan.'), 'admitted');
  t.equal(kinds('portal.lan@evil.example'), 'elsewhere');
  t.equal(kinds('10.7.0.1'), 'elsewhere');
  t.equal(kinds(), 'elsewhere');
  t.equal(kinds('portal.lan', 'portal.lan'), 'refused');
  t.equal(kinds('example.org', 'portal.lan'), 'refused');
  t.end();
});

t.test('a target in absolute form says whose it is, whatever Host says', (t) => {
  const kindOf = (url: string, host: string) =>
    admit({ method: 'GET', url, rawHeaders: ['Host', host] } as unknown as IncomingMessage, HOST).kind;
  t.equal(kindOf('http://evil.example/api/leave', HOST), 'elsewhere');
  t.equal(kindOf(`http://${HOST}@evil.example/`, HOST), 'elsewhere');
  t.equal(kindOf(`http://evil.example?http://${HOST}/`, HOST), 'elsewhere');
  t.equal(kindOf(`http://${HOST}:80/api/view`, 'evil.example'), 'admitted');
  t.equal(kindOf(`/?next=http://evil.example/`, HOST), 'admitted');
  t.end();
});

t.test("more than one Origin is nobody's origin", (t) => {
  const headers = ['Host', HOST, 'Origin', `http://${HOST}`, 'Origin', 'http://evil.example'];
  t.strictSame(admit(request('POST', headers), HOST), { kind: 'refused', reason: 'foreign-origin' });
  t.end();
});

t.test('the redirect is at most 1 kB for the longest name DNS allows', (t) => {
  t.ok(Buffer.byteLength(redirectBody(`${'a'.repeat(249)}.lan`)) <= 1_024);
  t.end();
});

function request(method: string, rawHeaders: string[]): IncomingMessage {
  return { method, url: '/', rawHeaders } as unknown as IncomingMessage;
}
