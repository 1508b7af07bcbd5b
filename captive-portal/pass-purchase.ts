/**
 * A purchase with a pass code made on the router, for browsers without JavaScript: the router derives the key, signs what the
 * page would have signed, and forgets it. HOLD mode: such a page cannot sign again while the guest surfs.
 */
import { randomBytes } from 'node:crypto';
import type { Mac } from '../agent/core/model.ts';
import type { DeskResult, GuestView } from '../agent/ports.ts';
import { hexFromBytes } from '../protocol/hex.ts';
import { addressFromSecretKey } from '../protocol/signature.ts';
import type { SignedVoucher } from '../protocol/voucher.ts';
import {
  attachRequestFrom,
  depositsToTry,
  isOwnVoucher,
  nextVoucher,
  openRequestFrom,
  secretKeyFromText,
  type Terms,
} from './page/wallet.ts';
import { termsFromJson } from './page/wire.ts';
import { freshTerms, type PortalContext, problemOfRefusal } from './portal-context.ts';
import type { Problem } from './problem.ts';

export type PassForm = { readonly code: string; readonly packageIndex: number };
export type PurchaseResult = { readonly ok: true } | { readonly ok: false; readonly problem: Problem };

/**
 * Opens a channel for the chosen package, or adds the package to the channel that this device has. A code whose session runs
 * on another device buys nothing: this one joins what is left of it.
 */
export async function purchaseWithPassCode(context: PortalContext, mac: Mac, form: PassForm): Promise<PurchaseResult> {
  const secretKey = secretKeyFromText(form.code);
  if (secretKey === undefined) return { ok: false, problem: { reason: 'bad-pass-code' } };
  const view = context.desk.view(mac);
  const running = runningVoucher(view);
  const taken = running === undefined ? await takeUp(context, mac, secretKey) : undefined;
  if (taken !== undefined) return taken;
  const json = freshTerms(context);
  if (json === undefined) return { ok: false, problem: { reason: 'not-selling' } };
  const terms = termsFromJson(json);
  const units = terms.packages[form.packageIndex]?.units ?? terms.packages[0]?.units ?? terms.quote.minDeposit;
  if (running !== undefined) return await add(context, mac, { terms, secretKey, view, running, units });
  return await open(context, mac, { terms, secretKey, units });
}

/** Browsers send the chosen package as its number in the offer. */
export function passFormFromBody(body: unknown): PassForm {
  const fields = body instanceof URLSearchParams ? body : new URLSearchParams();
  return { code: fields.get('code') ?? '', packageIndex: Number.parseInt(fields.get('package') ?? '0', 10) };
}

/** Undefined if the key has no running session here. */
async function takeUp(
  { desk, config }: PortalContext,
  mac: Mac,
  secretKey: Uint8Array,
): Promise<PurchaseResult | undefined> {
  const asked = await desk.challenge(mac, addressFromSecretKey(secretKey));
  if (!asked.ok) return asked.reason === 'unknown-channel' ? undefined : outcome(asked);
  const { channelId, challenge } = asked;
  return outcome(
    await desk.attach(mac, attachRequestFrom({ secretKey, channelId, challenge, deployment: config.chain })),
  );
}

async function open(
  { desk }: PortalContext,
  mac: Mac,
  { terms, secretKey, units }: { readonly terms: Terms; readonly secretKey: Uint8Array; readonly units: bigint },
): Promise<PurchaseResult> {
  const { openFee } = terms.quote;
  const firstAmount = units > openFee ? units : openFee;
  // One salt, one channel, one authorization's nonce: of several deposits tried only one can ever be taken.
  const salt = hexFromBytes(randomBytes(32));
  let last: PurchaseResult = { ok: false, problem: { reason: 'chain-refused' } };
  const held = await desk.balance?.(addressFromSecretKey(secretKey));
  // What the code does not hold is not asked for: each try that the chain refuses is one of the few that a guest has in an hour.
  const possible = depositsToTry(terms.quote, firstAmount).filter(
    (deposit) => held?.ok !== true || deposit <= held.units,
  );
  for (const deposit of possible) {
    const made = openRequestFrom({ terms, secretKey, deposit, firstAmount, mode: 'hold', salt });
    if (!made.ok) return { ok: false, problem: { reason: made.reason, expected: made.expected, got: made.got } };
    last = outcome(await desk.open(mac, made.request));
    if (last.ok || last.problem.reason !== 'chain-refused') return last;
  }
  return last;
}

async function add(
  { desk }: PortalContext,
  mac: Mac,
  purchase: {
    readonly terms: Terms;
    readonly secretKey: Uint8Array;
    readonly view: GuestView;
    readonly running: SignedVoucher;
    readonly units: bigint;
  },
): Promise<PurchaseResult> {
  const { terms, secretKey, view, running, units } = purchase;
  const { deployment } = terms;
  if (!isOwnVoucher(deployment, secretKey, running)) return { ok: false, problem: { reason: 'other-code' } };
  const raised = nextVoucher({
    deployment,
    secretKey,
    last: running,
    depositUnits: view.depositUnits,
    addUnits: units,
    ackBytes: view.downBytes + view.upBytes,
  });
  if (!raised.ok) return { ok: false, problem: { reason: raised.reason, expected: raised.expected, got: raised.got } };
  return outcome(await desk.voucher(mac, raised.voucher));
}

/** Newest voucher of a channel that can take another one. */
function runningVoucher(view: GuestView): SignedVoucher | undefined {
  return view.phase === 'active' || view.phase === 'grace' ? view.lastVoucher : undefined;
}

function outcome(result: DeskResult): PurchaseResult {
  return result.ok ? { ok: true } : { ok: false, problem: problemOfRefusal(result) };
}
