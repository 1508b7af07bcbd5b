/**
 * The owner's door to the running agent: HTTP over a unix socket that only its own user may open (0600). The command
 * line uses it, and anyone who scripts: `curl --unix-socket PATH http://agent/status`. Guests never reach it.
 *
 * JSON carries amounts (base units) and bytes as decimal strings. A failure is {"error":{"code":..,"message":..}}.
 */
import { once } from 'node:events';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { type FastifyBaseLogger, type FastifyError, type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { sspFromUnits } from '../../protocol/units.ts';
import { EARNING_REASONS } from '../earnings/earning-reasons.ts';
import type { Earnings } from '../earnings/earnings.ts';
import type { OwnerDesk } from '../owner-port.ts';
import type { AgentStatus } from '../ports.ts';
import { addTreasuryRoutes } from '../treasury/control-treasury.ts';
import type { Treasury } from '../treasury/treasury.ts';
import type { ReloadResult } from './config-reload.ts';
import { jsonText } from './json-text.ts';

export type ControlDeps = {
  readonly owner: OwnerDesk;
  /** Absent: the socket says nothing about money. */
  readonly treasury?: Treasury;
  /** Bytes and money of so many days, and what stayed behind where. */
  readonly earnings?: (days: number) => Earnings;
  /** Reads the configuration anew. */
  readonly reload?: () => ReloadResult;
  /** Told of failures only: what the owner asks is not worth a line. */
  readonly logger?: Pick<FastifyBaseLogger, 'error'>;
};

/** sun_path holds 108 bytes with its final NUL; the name that the socket is made under is longer than its own. */
const MAX_SOCKET_PATH = 107;
const TEMPORARY_SUFFIX = '.new';
const DEFAULT_PROOFS = 20;
/** A week of ten-minute intervals; older ones are with the collector. */
const MAX_PROOFS = 1008;
const DEFAULT_DAYS = 7;
/** Older proofs are with the collector. */
const MAX_DAYS = 31;
/** No request has a body. */
const MAX_BODY_BYTES = 1024;
/** A client that stalls must not hold the agent's memory. */
const CONNECTION_TIMEOUT_MS = 10_000;

export function buildControl({ owner, earnings, treasury, reload, logger }: ControlDeps): FastifyInstance {
  const app: FastifyInstance = fastify({
    bodyLimit: MAX_BODY_BYTES,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: CONNECTION_TIMEOUT_MS,
    forceCloseConnections: true,
  });
  app.setReplySerializer(jsonText);
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) logger?.error({ err: error }, 'control-request-failed');
    return refuse(reply, status, status >= 500 ? 'internal' : 'bad-request', error.message);
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(reply, 404, 'not-found', `There is no ${request.method} ${request.url.slice(0, 80)}.`),
  );
  app.get('/status', () => owner.status());
  app.get('/sessions', () => ({ sessions: owner.sessions() }));
  app.get('/channels', () => ({ channels: owner.channels() }));
  app.get<{ Querystring: { limit?: unknown } }>('/proofs', (request, reply) => {
    const limit = wholeNumber(request.query.limit ?? `${DEFAULT_PROOFS}`, MAX_PROOFS);
    if (limit === undefined)
      return refuse(reply, 400, 'bad-limit', `limit must be a whole number from 1 to ${MAX_PROOFS}.`);
    return { proofs: owner.proofs(limit) };
  });
  app.get<{ Querystring: { days?: unknown } }>('/earnings', (request, reply) => {
    const days = wholeNumber(request.query.days ?? `${DEFAULT_DAYS}`, MAX_DAYS);
    if (days === undefined) return refuse(reply, 400, 'bad-days', `days must be a whole number from 1 to ${MAX_DAYS}.`);
    if (earnings === undefined) return refuse(reply, 501, 'no-earnings', 'This agent was started without earnings.');
    return inWords(earnings(days));
  });
  app.post<{ Params: { id: string } }>('/sessions/:id/end', async (request, reply) => {
    const id = wholeNumber(request.params.id, Number.MAX_SAFE_INTEGER);
    const isEnded = id !== undefined && (await owner.endSession(id));
    if (isEnded) return { ended: id };
    return refuse(reply, 404, 'no-such-session', `There is no session ${request.params.id.slice(0, 20)}.`);
  });
  app.post('/reload', (_request, reply) => {
    if (reload === undefined)
      return refuse(reply, 501, 'no-reload', 'This agent was started without a file to reload.');
    return reload();
  });
  if (treasury !== undefined) addTreasuryRoutes(app, treasury);
  app.get('/metrics', (_request, reply) => {
    reply.serializer(String).type('text/plain; version=0.0.4; charset=utf-8');
    return metricsText(owner.status());
  });
  return app;
}

/**
 * Listens on `socketPath`, taking the place of a socket that a dead agent left. The socket is made under another name,
 * closed to others, and only then moved: nobody else can ever connect.
 * @throws ControlError CONTROL_SOCKET_BUSY if another agent answers there, CONTROL_SOCKET_PATH if the path is too long.
 */
export async function listenControl(app: FastifyInstance, socketPath: string): Promise<{ close(): Promise<void> }> {
  const temporary = `${socketPath}${TEMPORARY_SUFFIX}`;
  if (Buffer.byteLength(temporary) > MAX_SOCKET_PATH) {
    const limit = MAX_SOCKET_PATH - TEMPORARY_SUFFIX.length;
    throw new ControlError(
      'CONTROL_SOCKET_PATH',
      `Control socket path must have at most ${limit} bytes: ${socketPath}`,
    );
  }
  if (await isAnswered(socketPath)) {
    throw new ControlError('CONTROL_SOCKET_BUSY', `Another agent already answers on ${socketPath}; stop it first.`);
  }
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o700 });
  await rm(temporary, { force: true });
  await app.listen({ path: temporary });
  await chmod(temporary, 0o600);
  await rename(temporary, socketPath);
  return {
    close: async () => {
      await rm(socketPath, { force: true });
      await app.close();
    },
  };
}

/** Prometheus text format 0.0.4. Amounts in SSP, which a dashboard can show as they are. */
export function metricsText(status: AgentStatus): string {
  const gauge = (name: string, help: string, ...samples: readonly (readonly [string, string | number | bigint])[]) => [
    `# HELP shareagent_${name} ${help}`,
    `# TYPE shareagent_${name} ${name.endsWith('_total') ? 'counter' : 'gauge'}`,
    ...samples.map(([labels, value]) => `shareagent_${name}${labels} ${value}`),
  ];
  const { proofs } = status;
  const lines = [
    gauge('info', 'Version and device address.', [
      `{version="${escaped(status.version)}",device="${status.device}"}`,
      1,
    ]),
    gauge('uptime_seconds', 'Since the agent started.', ['', Math.floor(status.uptimeMs / 1000)]),
    gauge('selling', '1 while WiFi is being sold.', ['', status.notSelling === undefined ? 1 : 0]),
    gauge('sessions', 'Sessions now.', ['', status.sessions]),
    gauge('open_channels', 'Channels that are not settled.', ['', status.openChannels]),
    gauge('earned_ssp', 'Charged in channels that are not settled.', ['', sspFromUnits(status.earnedUnits)]),
    gauge('gas_wei', 'What the channels that the agent holds have cost the gas key.', ['', status.gasWei]),
    gauge('open_fee_ssp', 'Open fees of those channels.', ['', sspFromUnits(status.openFeeUnits)]),
    gauge('settled_ssp_total', 'Charged in settled channels.', ['', sspFromUnits(status.settledUnits)]),
    gauge(
      'session_bytes',
      'Layer-3 bytes of the sessions that the agent holds.',
      ['{direction="down"}', status.downBytes],
      ['{direction="up"}', status.upBytes],
    ),
    gauge(
      'proofs',
      'Traffic proofs.',
      ['{state="acknowledged"}', proofs.acknowledged],
      ['{state="waiting"}', proofs.waiting],
    ),
    gauge('bus_connected', '1 while ubus is heard.', ['', status.isBusConnected ? 1 : 0]),
    gauge('clock_synced', '1 while the wall clock is known good.', ['', status.isClockSynced ? 1 : 0]),
  ];
  return `${lines.flat().join('\n')}\n`;
}

/** Each reason with its words, so that whoever asks needs no table of its own. */
function inWords(report: Earnings): object {
  const days = report.days.map((day) => ({
    ...day,
    losses: day.losses.map((loss) => ({ ...loss, ...EARNING_REASONS[loss.reason] })),
  }));
  return { ...report, days };
}

export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: 'CONTROL_SOCKET_BUSY' | 'CONTROL_SOCKET_PATH';

  constructor(code: ControlError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

function refuse(reply: FastifyReply, status: number, code: string, message: string): FastifyReply {
  return reply.code(status).send({ error: { code, message } });
}

function wholeNumber(text: unknown, max: number): number | undefined {
  const value = typeof text === 'string' && /^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= max ? value : undefined;
}

function escaped(label: string): string {
  return label.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** A socket file that nobody accepts on is what a killed agent left behind. */
async function isAnswered(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    // ENOENT: no socket; ECONNREFUSED: left behind; any other reason comes up again, with its message, on listening.
    // EAGAIN: its queue is full, so an agent lives there that is too busy to accept.
    return (error as NodeJS.ErrnoException).code === 'EAGAIN';
  } finally {
    socket.destroy();
  }
}
