/** One café for all portal tests: its configuration, its device key, its guest, and a portal built around a scripted desk. */
import type { FastifyInstance, InjectOptions } from 'fastify';
import type { Mac } from '../../../agent/core/model.ts';
import type { Clock, DeskRefusal, GuestDesk, GuestView } from '../../../agent/ports.ts';
import { loadPageAssets, type PageAssets } from '../../../captive-portal/page-assets.ts';
import { buildPortal, type PortalDeps } from '../../../captive-portal/portal.ts';
import type { PortalConfig } from '../../../captive-portal/portal-config.ts';
import { type Quote, type SignedQuote, signQuote } from '../../../protocol/quote.ts';
import { addressFromSecretKey } from '../../../protocol/signature.ts';
import { buildPage } from '../../../tools/build-page.ts';
import { scriptedDesk } from './scripted-desk.ts';
import { holdToSchemas } from './true-answers.ts';

export const HOST = 'portal.lan';
export const GUEST = 'aa:bb:cc:00:00:01' as Mac;
export const GUEST_ADDRESS = '10.7.0.23';
export const PASS_CODE = 'ABCDE-FGHJK-MNPQR-STVWX';
export const NOW_S = 1_795_000_000n;

export const DEPLOYMENT = { chainId: 31_337n, channels: '0x00000000000000000000000000000000000000c1' } as const;
const TOKEN = '0x00000000000000000000000000000000000000a7';
const DEVICE_KEY = new Uint8Array(32).fill(7);

export const CONFIG: PortalConfig = {
  portal: { port: 2080, host: HOST, name: 'Café <Zentral> & Söhne' },
  price: {
    packages: [
      { name: 'Mail and chat', units: 10_000n },
      { name: 'A long coffee', units: 50_000n },
    ],
    trialBytes: 2_000_000n,
  },
  chain: { ...DEPLOYMENT, token: TOKEN, tokenName: 'SSP', tokenVersion: '1' },
};

const QUOTE: Quote = {
  device: addressFromSecretKey(DEVICE_KEY),
  payee: '0x00000000000000000000000000000000000000fe',
  token: TOKEN,
  unitsPerMb: 1_000n,
  unitsPerMinute: 0n,
  minDeposit: 20_000n,
  openFee: 500n,
  exitDelay: 7_200n,
  expiry: NOW_S + 86_400n,
  validUntil: NOW_S + 600n,
  nonce: `0x${'11'.repeat(32)}`,
};

export function quote(changes: Partial<Quote> = {}): SignedQuote {
  return signQuote(DEPLOYMENT, { ...QUOTE, ...changes }, DEVICE_KEY);
}

export function view(changes: Partial<GuestView> = {}): GuestView {
  return {
    mac: GUEST,
    isOnline: false,
    phase: 'none',
    downBytes: 0n,
    upBytes: 0n,
    onlineMs: 0,
    chargedUnits: 0n,
    creditUnits: 0n,
    depositUnits: 0n,
    bytesRemaining: 0n,
    isLow: false,
    ...changes,
  };
}

/** A clock the test moves. */
export function handClock(): Clock & { advance: (ms: number) => void } {
  let ms = 0;
  return {
    monotonicMs: () => ms,
    wall: () => ({ unixS: NOW_S, isSynced: true }),
    advance: (by) => {
      ms += by;
    },
  };
}

export type Logged = { readonly event: string; readonly details: object };
export type Cafe = {
  readonly app: FastifyInstance;
  readonly logged: Logged[];
  readonly clock: ReturnType<typeof handClock>;
};

/** What a desk says to a key that has no session here. */
export const NOT_RUNNING: DeskRefusal = { ok: false, reason: 'unknown-channel', expected: 'a session', got: 'none' };

/** The neighbour table knows GUEST at GUEST_ADDRESS, no session runs yet; everything else is the script's. Sends only what its routes declare. */
export async function cafe(
  script: Partial<GuestDesk> = {},
  config: PortalConfig = CONFIG,
  isSecure = () => false,
  reportUntrue?: (said: string) => void,
  faucet?: PortalDeps['faucet'],
): Promise<Cafe> {
  await buildPage();
  const logged: Logged[] = [];
  const keep = (details: object, event: string) => void logged.push({ event, details });
  const identify = (address: string) => Promise.resolve(address === GUEST_ADDRESS ? GUEST : undefined);
  const clock = handClock();
  const app = buildPortal({
    desk: scriptedDesk({ identify, challenge: () => NOT_RUNNING, ...script }),
    config,
    page: pageAssets(),
    clock,
    log: { info: keep, warn: keep, error: keep },
    isSecure,
    ...(faucet === undefined ? {} : { faucet }),
  });
  holdToSchemas(app, reportUntrue);
  return { app, logged, clock };
}

let assets: PageAssets | undefined;

function pageAssets(): PageAssets {
  assets ??= loadPageAssets();
  return assets;
}

/** A request of GUEST to the portal's own name. */
export function byGuest(method: 'GET' | 'POST' | 'HEAD', url: string, payload?: object | string): InjectOptions {
  const base = { method, url, remoteAddress: GUEST_ADDRESS, headers: { host: HOST } };
  if (payload === undefined) return base;
  const isForm = typeof payload === 'string';
  const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
  return { ...base, payload, headers: { host: HOST, origin: `http://${HOST}`, 'content-type': type } };
}
