/** What `shareagent top` knows at one moment, and the rates between two. */
import { askAgentFor } from './control-client.ts';
import { type SessionAnswer, type StatusAnswer, sessionsSchema, statusSchema } from './control-schema.ts';

export type TopSample = {
  readonly atMs: number;
  readonly status: StatusAnswer;
  readonly sessions: readonly SessionAnswer[];
};

/** Bytes per second as the guest sees it. */
export type Rate = { readonly down: number; readonly up: number };

export type TopRates = { readonly total: Rate; readonly bySession: ReadonlyMap<number, Rate> };

/** An agent that does not answer for this long is shown as silent; the next try follows at once. */
const TIMEOUT_MS = 3_000;
const NO_RATE: Rate = { down: 0, up: 0 };

export async function takeSample(socketPath: string, monotonicMs: () => number): Promise<TopSample> {
  const [status, sessions] = await Promise.all([
    askAgentFor(statusSchema, { socketPath, path: '/status', timeoutMs: TIMEOUT_MS }),
    askAgentFor(sessionsSchema, { socketPath, path: '/sessions', timeoutMs: TIMEOUT_MS }),
  ]);
  return { atMs: monotonicMs(), status: status.value, sessions: sessions.value.sessions };
}

/** Rates from the sessions that are in both samples; a counter that went back (the agent restarted) counts as no traffic. */
export function ratesBetween(before: TopSample | undefined, now: TopSample): TopRates {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  if (before === undefined || seconds <= 0) return { total: NO_RATE, bySession: new Map() };
  const known = new Map(before.sessions.map((session) => [session.id, session]));
  const bySession = new Map<number, Rate>();
  const total = { down: 0, up: 0 };
  for (const session of now.sessions) {
    const earlier = known.get(session.id);
    if (earlier === undefined) continue;
    const rate = {
      down: perSecond(earlier.downBytes, session.downBytes, seconds),
      up: perSecond(earlier.upBytes, session.upBytes, seconds),
    };
    bySession.set(session.id, rate);
    total.down += rate.down;
    total.up += rate.up;
  }
  return { total, bySession };
}

function perSecond(before: bigint, now: bigint, seconds: number): number {
  return now > before ? Number(now - before) / seconds : 0;
}
