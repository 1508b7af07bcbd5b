/** What every route of the portal works with. */
import type { FastifyRequest } from 'fastify';
import type { Mac } from '../agent/core/model.ts';
import type { Clock, DeskRefusal, FaucetResult, GuestDesk } from '../agent/ports.ts';
import type { Address } from '../protocol/address.ts';
import type { OwnerFiles } from './owner-look.ts';
import type { TermsJson } from './page/wire.ts';
import type { PortalConfig } from './portal-config.ts';
import type { Problem } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { termsJson } from './view-json.ts';

export type PortalLog = {
  readonly info: (details: object, event: string) => void;
  readonly warn: (details: object, event: string) => void;
  readonly error: (details: object, event: string) => void;
};

export type PortalContext = {
  readonly desk: GuestDesk;
  readonly config: PortalConfig;
  readonly clock: Clock;
  readonly log: PortalLog;
  readonly rate: RateLimit;
  /** The owner's logo and terms. */
  readonly files: OwnerFiles;
  /** True while https is spoken. */
  readonly isSecure: () => boolean;
  readonly faucet?: (to: Address) => Promise<FaucetResult>;
};

export type Guest = { readonly ok: true; readonly mac: Mac } | { readonly ok: false; readonly problem: Problem };

/** The guest behind the connection, as the kernel says; never by what a header claims. */
export async function guestOf({ desk }: PortalContext, request: FastifyRequest): Promise<Guest> {
  const mac = await desk.identify(addressOf(request));
  return mac === undefined ? { ok: false, problem: { reason: 'unknown-guest' } } : { ok: true, mac };
}

/** As guestOf, for requests that cost the router work: refused above the guest's rate. */
export async function ratedGuestOf(context: PortalContext, request: FastifyRequest): Promise<Guest> {
  const guest = await guestOf(context, request);
  const key = guest.ok ? guest.mac : addressOf(request);
  return context.rate.take(key, context.clock.monotonicMs())
    ? guest
    : { ok: false, problem: { reason: 'rate-limited' } };
}

/** A fresh offer. Why nothing is sold is the owner's business: it goes to the log, the guest hears what to do. */
export function freshTerms({ desk, config, clock, log }: PortalContext): TermsJson | undefined {
  const quote = desk.quote();
  if ('notSelling' in quote) {
    log.info({ notSelling: quote.notSelling }, 'quote-refused');
    return undefined;
  }
  return termsJson(quote, config, clock.wall().unixS);
}

export function problemOfRefusal({ reason, expected, got, lastVoucher }: DeskRefusal): Problem {
  return { reason, expected, got, ...(lastVoucher !== undefined && { lastVoucher }) };
}

function addressOf(request: FastifyRequest): string {
  return request.socket.remoteAddress ?? '';
}
