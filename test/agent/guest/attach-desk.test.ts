import t from 'tap';
import { CHALLENGE_MS } from '../../../agent/core/limits.ts';
import type { Mac } from '../../../agent/core/model.ts';
import { AttachDesk, type AttachDeskDeps } from '../../../agent/guest/attach-desk.ts';
import { type SignedAttach, signAttach } from '../../../protocol/attach.ts';
import type { Hex } from '../../../protocol/hex.ts';
import { NobleVerifier } from '../../support/noble-verifier.ts';
import { testKey } from '../../support/protocol-arbitraries.ts';
import { LAPTOP, PHONE, Story, testChannel, testConfig, WLAN0 } from '../core/support/story.ts';

const { secretKey, address: signer } = testKey('signer');
const CONFIG = testConfig();
const CHANNEL = testChannel({ config: { ...testChannel().config, payer: signer, signer } });

/** A paid session of the phone, and a desk that numbers its challenges. */
function counter(changes: Partial<AttachDeskDeps> = {}) {
  const story = new Story(CONFIG);
  story.paid(CHANNEL);
  const bound: Mac[] = [];
  const logged: { readonly event: string; readonly details: object }[] = [];
  const keep = (details: object, event: string) => void logged.push({ event, details });
  let made = 0;
  const desk = new AttachDesk({
    config: CONFIG,
    driver: {
      get state() {
        return story.state;
      },
      dispatch: (body) => void story.send(body),
      reconciled: () => Promise.resolve(),
    },
    clock: { monotonicMs: () => story.nowMs, wall: () => ({ unixS: 0n, isSynced: false }) },
    verifier: new NobleVerifier(),
    random32: () => new Uint8Array(32).fill(++made),
    bindStation: (mac) => {
      bound.push(mac);
      return Promise.resolve(undefined);
    },
    log: { info: keep, warn: keep, error: keep },
    ...changes,
  });
  return { desk, story, bound, logged };
}

/** What the wallet of `key` answers to the challenge that `mac` asks for. */
function answered(desk: AttachDesk, mac: Mac, key = secretKey): SignedAttach {
  const asked = desk.challenge(mac, signer);
  if (asked instanceof Promise) throw new Error('a key that is known here needs no sister');
  if (!asked.ok) throw new Error(`no challenge: ${asked.reason}`);
  return signAttach(CONFIG.chain, { channelId: asked.channelId, challenge: asked.challenge }, key);
}

t.test('a device that proves the key is bound, joins the session, and sees what is left of it', async (t) => {
  const { desk, story, bound, logged } = counter();
  story.counted(1, 40_000_000n);
  const result = await desk.attach(LAPTOP, answered(desk, LAPTOP));
  t.match(result, {
    ok: true,
    view: { mac: LAPTOP, isOnline: true, channelId: CHANNEL.id, bytesRemaining: 60_000_000n },
  });
  t.same(bound, [LAPTOP]);
  t.equal(story.state.sessionByMac.get(LAPTOP), 1);
  t.match(logged, [{ event: 'station-attached', details: { channel: CHANNEL.id } }]);
  t.notMatch(JSON.stringify(logged), LAPTOP, 'no MAC in the log');
});

t.test('an answer that was overheard is worth nothing: not from another device, not a second time', async (t) => {
  const { desk, story, logged } = counter();
  const overheard = answered(desk, LAPTOP);
  const thief = '02:00:00:00:66:66' as Mac;
  t.match(await desk.attach(thief, overheard), { ok: false, reason: 'bad-challenge' });
  t.match(desk.challenge(thief, signer), { ok: true }, 'anyone may ask');
  t.match(await desk.attach(thief, overheard), { ok: false, reason: 'bad-challenge' });
  t.notOk(story.state.sessionByMac.has(thief));
  t.match(await desk.attach(LAPTOP, overheard), { ok: true }, 'who was asked gets in all the same');
  t.match(await desk.attach(LAPTOP, overheard), { ok: false, reason: 'bad-challenge' });
  t.match(logged[0], { event: 'attach-refused', details: { reason: 'bad-challenge', expected: /within 60 s/ } });
});

t.test('a challenge is too old after its minute', async (t) => {
  const { desk, story } = counter();
  const late = answered(desk, LAPTOP);
  story.nowMs += CHALLENGE_MS;
  t.match(await desk.attach(LAPTOP, late), { ok: false, reason: 'bad-challenge' });
});

t.test('another key, channel or deployment under the signature is refused, and nothing is bound', async (t) => {
  const { desk, story, bound } = counter();
  const other = testKey('stranger').secretKey;
  const refused = { ok: false, reason: 'bad-signature', expected: `a signature of ${signer}` };
  t.match(await desk.attach(LAPTOP, answered(desk, LAPTOP, other)), refused);
  const { challenge } = answered(desk, LAPTOP);
  const elsewhere = { chainId: 1n, channels: CONFIG.chain.channels };
  t.match(await desk.attach(LAPTOP, signAttach(elsewhere, { channelId: CHANNEL.id, challenge }, secretKey)), refused);
  const another: Hex = `0x${'c2'.repeat(32)}`;
  const unknown = signAttach(CONFIG.chain, { channelId: another, challenge }, secretKey);
  t.match(await desk.attach(LAPTOP, unknown), { ok: false, reason: 'unknown-channel' });
  t.same(bound, []);
  t.notOk(story.state.sessionByMac.has(LAPTOP));
});

t.test('a key without a running session gets no challenge', (t) => {
  const { desk, story } = counter();
  t.match(desk.challenge(LAPTOP, testKey('stranger').address), { ok: false, reason: 'unknown-channel' });
  story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
  t.match(desk.challenge(LAPTOP, signer), { ok: false, reason: 'unknown-channel' });
  t.end();
});

t.test('a session that ends while the device is being bound is not taken up', async (t) => {
  const world = counter({
    bindStation: () => {
      world.story.send({ kind: 'session-left', sessionId: 1, reason: 'guest-left' });
      return Promise.resolve(undefined);
    },
  });
  const result = await world.desk.attach(LAPTOP, answered(world.desk, LAPTOP));
  t.match(result, { ok: false, reason: 'channel-not-open', got: 'closing' });
  t.notOk(world.story.state.sessionByMac.has(LAPTOP));
});

t.test('a device that cannot be bound, or not be served, is told that the router is at fault', async (t) => {
  const unbound = counter({ bindStation: () => Promise.resolve('the neighbour table cannot be read: ENOBUFS') });
  t.match(await unbound.desk.attach(LAPTOP, answered(unbound.desk, LAPTOP)), { ok: false, reason: 'not-selling' });
  t.notOk(unbound.story.state.sessionByMac.has(LAPTOP));
  const story = new Story(CONFIG);
  story.paid(CHANNEL);
  for (const [cause, got] of [
    [new Error('nft is gone'), 'nft is gone'],
    ['nft is gone', 'nft is gone'],
  ] as const) {
    const driver = { state: story.state, dispatch: () => undefined, reconciled: () => Promise.reject(cause) };
    const { desk } = counter({ driver });
    t.match(await desk.attach(LAPTOP, answered(desk, LAPTOP)), { ok: false, reason: 'not-selling', got });
  }
});

t.test('after the phone moved to another MAC the old one is a stranger', async (t) => {
  const { desk, story } = counter();
  story.send({ kind: 'station-left', mac: PHONE, port: WLAN0 });
  t.match(await desk.attach(LAPTOP, answered(desk, LAPTOP)), { ok: true });
  t.notOk(story.state.sessionByMac.has(PHONE));
  t.match(await desk.attach(PHONE, answered(desk, PHONE)), { ok: true }, 'until it proves the key again');
});
