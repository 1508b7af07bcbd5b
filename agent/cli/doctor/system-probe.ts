/** The real probe: this router's files, sockets, nft and chain. Every wait and every answer is bounded. */
import { once } from 'node:events';
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { keccak256Text } from '../../../protocol/keccak.ts';
import type { DeviceName } from '../../core/model.ts';
import { CommandError } from '../command.ts';
import { askAgentFor } from '../control-client.ts';
import { statusSchema } from '../control-schema.ts';
import { messageOf } from '../message-of.ts';
import { listeningAddress } from './listeners.ts';
import type { BackendFact, DiskFact, DoctorProbe, FileFact, NftFact, Probed } from './probe.ts';

const TIMEOUT_MS = 5_000;
const MAX_TEXT_BYTES = 1_000_000;
const MAX_NAMES = 1_000;
/** A digest of nothing that is ever asked of a router. */
const SIGNED_FOR_DOCTOR = keccak256Text('SSP-KEY-SELF-CHECK-v1');
/** statfs(2): file systems in memory. */
const MEMORY_FILE_SYSTEMS: readonly bigint[] = [0x0102_1994n, 0x8584_58f6n];

const rpcAnswerSchema = v.object({
  result: v.optional(v.unknown()),
  error: v.optional(v.object({ message: v.string() })),
});

export const systemProbe: DoctorProbe = {
  file: fileFact,
  text: readText,
  names: async (path) => {
    const names = await readdir(path).catch(() => []);
    return names.slice(0, MAX_NAMES).sort();
  },
  isAnswered,
  disk: diskFact,
  uid: () => process.getuid?.() ?? 0,
  wallS: () => Date.now() / 1000,
  nft: nftFacts,
  offload: offloadFacts,
  fw4Input: fw4InputComments,
  shownCertificate,
  backends: backendFacts,
  signingMs,
  rpc: callRpc,
  status: async (socketPath) => {
    try {
      return (await askAgentFor(statusSchema, { socketPath, path: '/status', timeoutMs: TIMEOUT_MS })).value;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return undefined;
    }
  },
};

/** In a thread of its own, loaded only now: no other command needs it. */
async function backendFacts(): Promise<Probed<readonly BackendFact[]>> {
  try {
    const { examineBackends } = await import('../../adapters/verifier/worker-verifier.ts');
    return { ok: true, value: await examineBackends() };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function fileFact(path: string): Promise<FileFact | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const kind = found.isFile() ? 'file' : found.isDirectory() ? 'directory' : found.isSocket() ? 'socket' : 'other';
  return { kind, mode: found.mode & 0o7777, uid: found.uid };
}

async function readText(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || found.size > MAX_TEXT_BYTES) return undefined;
  return await readFile(path, 'utf8').catch(() => undefined);
}

async function isAnswered(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch {
    // Missing, left behind or forbidden: the check tells them apart by the file.
    return false;
  } finally {
    socket.destroy();
  }
}

async function diskFact(path: string): Promise<Probed<DiskFact>> {
  let directory = path;
  while (directory !== '/' && (await fileFact(directory)) === undefined) directory = dirname(directory);
  try {
    const { bavail, bsize, type } = await statfs(directory, { bigint: true });
    return {
      ok: true,
      value: { path: directory, freeBytes: bavail * bsize, isMemory: MEMORY_FILE_SYSTEMS.includes(type) },
    };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

/** nft itself may be missing; its probe says so in its own words. */
async function nftFacts(): Promise<Probed<readonly NftFact[]>> {
  try {
    const { probeNft } = await import('../../adapters/nft/probe.ts');
    return { ok: true, value: await probeNft() };
  } catch (error) {
    return { ok: false, message: `nft could not be tried: ${messageOf(error)}` };
  }
}

async function offloadFacts(guestDevices: readonly DeviceName[]): Promise<Probed<readonly string[]>> {
  try {
    const { readOffload } = await import('../../adapters/nft/offload.ts');
    const { which } = await readOffload({ nftPath: 'nft', runtimeDir: tmpdir() }, guestDevices);
    return { ok: true, value: which };
  } catch (error) {
    return { ok: false, message: `flowtables could not be listed: ${messageOf(error)}` };
  }
}

async function fw4InputComments(): Promise<Probed<readonly string[] | undefined>> {
  try {
    const { readChainComments } = await import('../../adapters/nft/chain-comments.ts');
    const place = { nftPath: 'nft', runtimeDir: tmpdir() };
    return { ok: true, value: await readChainComments(place, { family: 'inet', table: 'fw4', chain: 'input' }) };
  } catch (error) {
    return { ok: false, message: `fw4's rules could not be listed: ${messageOf(error)}` };
  }
}

/** The portal listens on the guests' addresses only, so the address is looked up first. */
async function shownCertificate(port: number): Promise<string | undefined> {
  const host = listeningAddress((await readText('/proc/net/tcp')) ?? '', port);
  if (host === undefined) return undefined;
  // What a guest would refuse is still what is shown: it is compared, not trusted.
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return socket.getPeerX509Certificate()?.fingerprint256;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** As the agent would ask it; this process may wait. */
async function signingMs(socketPath: string): Promise<Probed<number>> {
  try {
    const { socketSigner } = await import('../../adapters/socket-signer.ts');
    const signer = socketSigner(socketPath, { timeoutMs: TIMEOUT_MS });
    const beforeMs = performance.now();
    signer.sign(SIGNED_FOR_DOCTOR);
    return { ok: true, value: performance.now() - beforeMs };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function callRpc(url: string, method: string, params: readonly unknown[]): Promise<Probed<unknown>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = v.safeParse(rpcAnswerSchema, JSON.parse(await boundedText(response)));
    const { error, result } = answer.success ? answer.output : {};
    if (error !== undefined) return { ok: false, message: error.message };
    if (result !== undefined) return { ok: true, value: result };
    return { ok: false, message: `answered ${response.status} without JSON-RPC` };
  } catch (error) {
    return { ok: false, message: messageOf(error) };
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_TEXT_BYTES) throw new RangeError(`answer must have at most ${MAX_TEXT_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
