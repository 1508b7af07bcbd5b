import t from 'tap';
import type { DeskResult } from '../../agent/ports.ts';
import { attachRequestFrom, challengeJsonFromKey, secretKeyFromText } from '../../captive-portal/page/wallet.ts';
import { challengeFromJson } from '../../captive-portal/page/wire.ts';
import { attachJsonFromAttach, attachSigner } from '../../protocol/attach.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { byGuest, cafe, DEPLOYMENT, GUEST, NOT_RUNNING, PASS_CODE, view } from './support/cafe.ts';

const SECRET_KEY = secretKeyFromText(PASS_CODE) as Uint8Array;
const SIGNER = addressFromSecretKey(SECRET_KEY);
const CHANNEL = `0x${'c1'.repeat(32)}` as const;
const CHALLENGE = `0x${'a7'.repeat(32)}` as const;
const ATTACH = attachRequestFrom({
  secretKey: SECRET_KEY,
  channelId: CHANNEL,
  challenge: CHALLENGE,
  deployment: DEPLOYMENT,
});
const running = view({ isOnline: true, phase: 'active', channelId: CHANNEL, bytesRemaining: 7n });

t.test('a challenge comes with the channel of the key and with where channels live', async (t) => {
  const asked: unknown[] = [];
  const challenge = (...args: unknown[]) => {
    asked.push(args);
    return { ok: true, channelId: CHANNEL, challenge: CHALLENGE } as const;
  };
  const { app } = await cafe({ challenge });
  const response = await app.inject(byGuest('POST', '/api/challenge', challengeJsonFromKey(SECRET_KEY)));
  t.equal(response.statusCode, 200);
  t.equal(response.headers['cache-control'], 'no-store');
  t.strictSame(challengeFromJson(response.json()), {
    channelId: CHANNEL,
    challenge: CHALLENGE,
    deployment: DEPLOYMENT,
  });
  t.strictSame(asked, [[GUEST, SIGNER]]);
});

t.test('a key without a running session gets no content, no error: the page pays instead', async (t) => {
  const { app } = await cafe({ challenge: () => NOT_RUNNING });
  const response = await app.inject(byGuest('POST', '/api/challenge', challengeJsonFromKey(SECRET_KEY)));
  t.equal(response.statusCode, 204);
  t.equal(response.body, '');
});

t.test('what the wallet signs is the answer of its key to that challenge', (t) => {
  t.equal(attachSigner(DEPLOYMENT, ATTACH), SIGNER);
  t.match(ATTACH, { channelId: CHANNEL, challenge: CHALLENGE });
  t.end();
});

t.test(
  'an attach reaches the desk decoded, for the device that the kernel names, and is answered with the view',
  async (t) => {
    const asked: unknown[] = [];
    const attach = (...args: unknown[]): Promise<DeskResult> => {
      asked.push(args);
      return Promise.resolve({ ok: true, view: running });
    };
    const { app } = await cafe({ attach });
    const request = byGuest('POST', '/api/attach', attachJsonFromAttach(ATTACH));
    const headers = { ...request.headers, 'x-forwarded-for': '10.7.0.99' };
    const response = await app.inject({ ...request, headers });
    t.equal(response.statusCode, 200);
    t.match(response.json(), { isOnline: true, channelId: CHANNEL, bytesRemaining: '7' });
    t.strictSame(asked, [[GUEST, ATTACH]]);
  },
);

const REFUSALS = [
  ['unknown-channel', 404],
  ['channel-not-open', 409],
  ['bad-challenge', 409],
  ['bad-signature', 422],
] as const;
for (const [reason, status] of REFUSALS) {
  t.test(`an attach refused as ${reason} is answered ${status} with what to do`, async (t) => {
    const attach = (): Promise<DeskResult> => Promise.resolve({ ok: false, reason, expected: 'this', got: 'that' });
    const { app } = await cafe({ attach });
    const response = await app.inject(byGuest('POST', '/api/attach', attachJsonFromAttach(ATTACH)));
    t.equal(response.statusCode, status);
    t.match(response.json(), { reason, expected: 'this', got: 'that', detail: /\.$/ });
  });
}

const HOSTILE = [
  ['nothing', undefined],
  ['a list', []],
  ['no signature', { ...attachJsonFromAttach(ATTACH), sig: undefined }],
  ['a signature of 65 bytes', { ...attachJsonFromAttach(ATTACH), sig: `0x${'11'.repeat(65)}` }],
  ['a challenge that is an object', { ...attachJsonFromAttach(ATTACH), challenge: { $ne: '' } }],
  ['a channel id with a path in it', { ...attachJsonFromAttach(ATTACH), ch: '../../etc/passwd' }],
  ['the MAC that it would like to be', { ...attachJsonFromAttach(ATTACH), mac: 'aa:bb:cc:00:00:02' }],
  ['a prototype', JSON.parse('{"__proto__":{"v":1}}') as object],
] as const;
for (const [what, body] of HOSTILE) {
  t.test(`${what} instead of an attach or a request for a challenge never reaches the desk`, async (t) => {
    const { app } = await cafe({
      challenge: () => t.fail('challenge reached the desk') as never,
      attach: () => t.fail('attach reached the desk') as never,
    });
    for (const url of ['/api/attach', '/api/challenge']) {
      const response = await app.inject(byGuest('POST', url, body));
      t.equal(response.statusCode, 400);
      t.equal(response.json().reason, 'malformed');
    }
  });
}

t.test('neither is for devices that the kernel does not know, nor for other websites', async (t) => {
  const { app } = await cafe();
  for (const [url, body] of [
    ['/api/attach', attachJsonFromAttach(ATTACH)],
    ['/api/challenge', challengeJsonFromKey(SECRET_KEY)],
  ] as const) {
    const request = byGuest('POST', url, body);
    t.equal((await app.inject({ ...request, remoteAddress: '192.0.2.9' })).json().reason, 'unknown-guest');
    const foreign = { ...request, headers: { ...request.headers, origin: 'http://evil.example' } };
    t.equal((await app.inject(foreign)).json().reason, 'foreign-origin');
  }
});

t.test('challenges and attaches are held to the rate of everything else that a guest asks for', async (t) => {
  const { app } = await cafe({
    attach: () => Promise.resolve({ ok: false, reason: 'bad-challenge', expected: '', got: '' }),
  });
  const codes: number[] = [];
  for (let i = 0; i < 11; i++) {
    codes.push((await app.inject(byGuest('POST', '/api/challenge', challengeJsonFromKey(SECRET_KEY)))).statusCode);
    codes.push((await app.inject(byGuest('POST', '/api/attach', attachJsonFromAttach(ATTACH)))).statusCode);
  }
  t.same(
    codes.slice(0, 20),
    Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? 204 : 409)),
  );
  t.same(codes.slice(20), [429, 429]);
});

t.test(
  'without JavaScript the same pass code on another device joins the running session and pays nothing',
  async (t) => {
    const attached: unknown[] = [];
    const { app } = await cafe({
      view: () => view(),
      challenge: () => ({ ok: true, channelId: CHANNEL, challenge: CHALLENGE }),
      attach: (...args) => {
        attached.push(args);
        return Promise.resolve({ ok: true, view: running });
      },
    });
    const response = await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}&package=0`));
    t.equal(response.statusCode, 303);
    t.strictSame(attached, [[GUEST, ATTACH]]);
  },
);

t.test('without JavaScript a payment that is still on its way is not made twice', async (t) => {
  const { app } = await cafe({
    view: () => view(),
    quote: () => ({ notSelling: 'of no interest here' }),
    challenge: () => ({ ok: false, reason: 'channel-not-open', expected: 'a channel that serves', got: 'pending' }),
  });
  const response = await app.inject(byGuest('POST', '/pass', `code=${PASS_CODE}&package=0`));
  t.equal(response.statusCode, 409);
  t.match(response.body, 'not open yet');
});
