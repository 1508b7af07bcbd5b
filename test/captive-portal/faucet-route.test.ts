import t from 'tap';
import type { FaucetResult } from '../../agent/ports.ts';
import { loadPageAssets } from '../../captive-portal/page-assets.ts';
import { buildPortal, type PortalDeps } from '../../captive-portal/portal.ts';
import { buildPage } from '../../tools/build-page.ts';
import { byGuest, CONFIG, GUEST, GUEST_ADDRESS, handClock } from './support/cafe.ts';
import { scriptedDesk } from './support/scripted-desk.ts';
import { holdToSchemas } from './support/true-answers.ts';

const TO = `0x${'0e'.repeat(20)}` as const;
const GIVEN = { ok: true, to: TO, units: 100_000n, tx: `0x${'7e'.repeat(32)}`, feeWei: 9n } as const;

await buildPage();
const page = loadPageAssets();

function portal(faucet?: PortalDeps['faucet']) {
  const logged: string[] = [];
  const keep = (_: object, event: string) => void logged.push(event);
  const identify = (address: string) => Promise.resolve(address === GUEST_ADDRESS ? GUEST : undefined);
  const app = buildPortal({
    desk: scriptedDesk({ identify }),
    config: CONFIG,
    page,
    clock: handClock(),
    log: { info: keep, warn: keep, error: keep },
    ...(faucet === undefined ? {} : { faucet }),
  });
  holdToSchemas(app);
  const ask = (payload: object, change: object = {}) =>
    app.inject({ ...byGuest('POST', '/api/faucet', payload), ...change });
  return { ask, logged };
}

t.test('a guest gets test SSP for its ticket', async (t) => {
  const asked: string[] = [];
  const { ask } = portal((to) => {
    asked.push(to);
    return Promise.resolve(GIVEN);
  });
  const answer = await ask({ v: 1, signer: TO });
  t.equal(answer.statusCode, 200);
  t.strictSame(answer.json(), { units: '100000' });
  t.strictSame(asked, [TO]);
  t.equal((await ask({ v: 1, signer: '0x12' })).statusCode, 400);
  t.equal((await ask({ v: 1, signer: TO }, { remoteAddress: '192.0.2.9' })).statusCode, 403, 'guests only');
  const many = await Promise.all(Array.from({ length: 30 }, () => ask({ v: 1, signer: TO })));
  t.ok(
    many.some(({ statusCode }) => statusCode === 429),
    'at a guest’s rate',
  );
});

t.test('where SSP is worth something, or the owner gives none, there is no faucet', async (t) => {
  t.equal((await portal().ask({ v: 1, signer: TO })).statusCode, 404);
  const refusing = (reason: string) => () => Promise.resolve<FaucetResult>({ ok: false, reason, message: 'why' });
  for (const reason of ['no-faucet', 'not-a-development-chain']) {
    const { ask, logged } = portal(refusing(reason));
    const answer = await ask({ v: 1, signer: TO });
    t.match(answer.json(), { status: 404, reason: 'not-found' }, reason);
    t.strictSame(logged, ['faucet-refused'], 'the owner is told');
  }
  t.match((await portal(refusing('unreachable')).ask({ v: 1, signer: TO })).json(), { reason: 'chain-unreachable' });
  t.match((await portal(refusing('has-enough')).ask({ v: 1, signer: TO })).json(), {
    reason: 'chain-refused',
  });
});
