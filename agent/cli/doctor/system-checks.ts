/** Can the agent hear the router, keep what it must, and know the time? */
import { dirname } from 'node:path';
import type { AgentConfig } from '../../core/config.ts';
import type { StatusAnswer } from '../control-schema.ts';
import { bytesText, utcText } from '../quantity.ts';
import { broken, doubtful, type Finding, fine } from './finding.ts';
import type { DoctorProbe, Probed } from './probe.ts';

/** A ledger of a few thousand channels with its WAL; below it the next commit may fail. */
const MIN_FREE_BYTES = 1_000_000n;
/** Room for weeks of proofs while the uplink is down. */
const WANTED_FREE_BYTES = 8_000_000n;
/** 2026-01-01: no clock that runs is before this program was written. */
const EARLIEST_WALL_S = 1_767_225_600;
/** A block is stamped at most some seconds ahead of its maker's clock. */
const BLOCK_AHEAD_S = 60;

export function agentFinding(status: StatusAnswer | undefined): Finding {
  const name = 'agent';
  if (status === undefined) return doubtful(name, 'not running', 'Start it: service shareagent start');
  if (status.notSelling === undefined) return fine(name, `${status.version}, selling`);
  return broken(
    name,
    `${status.version}, not selling: ${status.notSelling}`,
    'Follow what it says, then run doctor again.',
  );
}

export async function ubusFinding(probe: DoctorProbe, socketPath: string): Promise<Finding> {
  const name = 'ubus';
  if (await probe.isAnswered(socketPath)) return fine(name, `reachable on ${socketPath}`);
  const file = await probe.file(socketPath);
  const detail = file === undefined ? `there is no ${socketPath}` : `${socketPath} cannot be opened`;
  const fix =
    file === undefined
      ? 'Start ubusd, or set shareagent.network.ubus_socket.'
      : 'Run as root, or as the user that the package made.';
  return broken(name, detail, fix);
}

export async function leasesFinding(probe: DoctorProbe, path: string): Promise<Finding> {
  const name = 'leases';
  const text = await probe.text(path);
  if (text !== undefined) {
    const count = text.split('\n').filter((line) => line.trim() !== '').length;
    return fine(name, `${count} in ${path}`);
  }
  const fix = `Start dnsmasq, or set shareagent.network.lease_file to its option leasefile (uci get dhcp.@dnsmasq[0].leasefile).`;
  return doubtful(name, `${path} cannot be read; dnsmasq writes it with the first lease`, fix);
}

/** Time is only ever signed, never trusted: a wrong clock makes proofs worthless and channels expire early or late. */
export async function clockFinding(
  probe: DoctorProbe,
  rpcUrl: string | undefined,
  status: StatusAnswer | undefined,
): Promise<Finding> {
  const name = 'clock';
  const now = probe.wallS();
  const shown = `${utcText(BigInt(Math.floor(now)))} UTC`;
  const fix = 'Enable NTP (uci set system.ntp.enabled=1; service sysntpd restart) and let udp port 123 out.';
  if (now < EARLIEST_WALL_S) return broken(name, `${shown} is before this program was written`, fix);
  const blockS = rpcUrl === undefined ? undefined : await newestBlockS(probe, rpcUrl);
  if (blockS !== undefined && now < blockS - BLOCK_AHEAD_S) {
    return broken(name, `${shown} is before the newest block (${utcText(BigInt(blockS))} UTC)`, fix);
  }
  if (status === undefined) return fine(name, `${shown}; whether NTP has set it is known once the agent runs`);
  return status.isClockSynced
    ? fine(name, `${shown}, synced`)
    : doubtful(name, `${shown}, not synced: proofs say so and may earn less`, fix);
}

export async function diskFinding(probe: DoctorProbe, path: string): Promise<Finding> {
  const name = 'disk';
  const disk = await probe.disk(dirname(path));
  if (!disk.ok)
    return broken(name, disk.message, `Make the directory of ${path} reachable, or set shareagent.storage.database.`);
  const { freeBytes, isMemory, path: found } = disk.value;
  const detail = `${bytesText(freeBytes)} free at ${found}`;
  if (freeBytes < MIN_FREE_BYTES)
    return broken(name, detail, 'Remove packages or files; the ledger needs 1 MB at least.');
  if (isMemory) {
    return doubtful(
      name,
      `${detail}, which is memory: credit is lost at a reboot`,
      'Set shareagent.storage.database to a path on flash.',
    );
  }
  if (freeBytes < WANTED_FREE_BYTES) return doubtful(name, detail, 'Free 8 MB, so that weeks without uplink fit.');
  return fine(name, detail);
}

/** Of one signature: what else the agent does in one go takes no longer. */
const WANTED_SIGNING_MS = 10;

/** Whoever reads the device key can sign as this router. */
export async function deviceKeyFinding(
  probe: DoctorProbe,
  { deviceKeyPath: path, signerSocket }: AgentConfig['storage'],
): Promise<Finding> {
  const name = 'device key';
  if (signerSocket !== undefined) return await signerFinding(name, signerSocket, probe);
  const file = await probe.file(path);
  if (file === undefined) return fine(name, `${path} will be made at the first start`);
  if (file.kind !== 'file')
    return broken(name, `${path} is no file`, 'Remove it, or set shareagent.storage.device_key.');
  const mode = file.mode.toString(8).padStart(4, '0');
  if ((file.mode & 0o077) !== 0)
    return broken(name, `${path} may be read by others (mode ${mode})`, `chmod 600 ${path}`);
  const uid = probe.uid();
  if (uid !== 0 && file.uid !== uid)
    return doubtful(
      name,
      `${path} belongs to uid ${file.uid}, not ${uid}`,
      "Run doctor as root or as the agent's user.",
    );
  return fine(name, `${path}, mode ${mode}`);
}

/** Reachable, the right chain, and the contracts are there. */
export async function chainFindings(probe: DoctorProbe, { chain }: AgentConfig): Promise<readonly Finding[]> {
  const name = 'chain';
  const host = hostOf(chain.rpcUrl);
  const answered = await probe.rpc(chain.rpcUrl, 'eth_chainId', []);
  if (!answered.ok) {
    return [
      broken(
        name,
        `${host}: ${answered.message}`,
        'Check the uplink and shareagent.chain.rpc_url; guests with credit go on surfing meanwhile.',
      ),
    ];
  }
  const got = quantityFrom(answered);
  if (got !== chain.chainId) {
    const detail = `${host} is chain ${got ?? 'unknown'}, expected ${chain.chainId}`;
    return [broken(name, detail, 'Set shareagent.chain.rpc_url or shareagent.chain.chain_id.')];
  }
  const contracts = [
    ['channels', chain.channels],
    ['token', chain.token],
  ] as const;
  return [
    fine(name, `${host}, chain ${got}`),
    ...(await Promise.all(contracts.map(([option, address]) => contractFinding(probe, chain.rpcUrl, option, address)))),
  ];
}

/** The router pays the gas of opening and closing with the device key. */
export async function gasFinding(probe: DoctorProbe, rpcUrl: string, device: string): Promise<Finding> {
  const name = 'gas';
  const answered = await probe.rpc(rpcUrl, 'eth_getBalance', [device, 'latest']);
  const balance = quantityFrom(answered);
  if (balance === undefined)
    return doubtful(name, `balance of ${device} is not known`, 'Check shareagent.chain.rpc_url.');
  if (balance > 0n) return fine(name, `${device} holds ${balance} wei`);
  return broken(name, `${device} holds nothing`, "Send it some of the chain's own coin: it opens and closes channels.");
}

async function contractFinding(probe: DoctorProbe, rpcUrl: string, option: string, address: string): Promise<Finding> {
  const name = `contract ${option}`;
  const answered = await probe.rpc(rpcUrl, 'eth_getCode', [address, 'latest']);
  if (!answered.ok) return doubtful(name, answered.message, 'Run doctor again.');
  const isThere = typeof answered.value === 'string' && answered.value.length > 2;
  return isThere
    ? fine(name, address)
    : broken(name, `there is no contract at ${address}`, `Set shareagent.chain.${option}.`);
}

async function newestBlockS(probe: DoctorProbe, rpcUrl: string): Promise<number | undefined> {
  const answered = await probe.rpc(rpcUrl, 'eth_getBlockByNumber', ['latest', false]);
  const block = answered.ok ? answered.value : undefined;
  if (typeof block !== 'object' || block === null || !('timestamp' in block)) return undefined;
  const seconds = quantityFrom({ ok: true, value: block.timestamp });
  return seconds === undefined ? undefined : Number(seconds);
}

/** An RPC quantity ("0x7a69"). */
function quantityFrom(answered: Probed<unknown>): bigint | undefined {
  const text = answered.ok ? answered.value : undefined;
  return typeof text === 'string' && /^0x[0-9a-fA-F]{1,64}$/.test(text) ? BigInt(text) : undefined;
}

/** Scheme and host only: the rest of an RPC URL is often a secret. */
function hostOf(url: string): string {
  return new URL(url).origin;
}

/** Every payment is a signature: in JavaScript a router checks ten to thirty of them a second. */
export async function signatureFinding(probe: DoctorProbe): Promise<Finding> {
  const name = 'signatures';
  const backends = await probe.backends();
  if (!backends.ok)
    return broken(name, backends.message, 'Free memory: the thread that checks signatures cannot start.');
  const able = backends.value.flatMap((fact) => (fact.ok ? [fact] : []));
  const [best, ...rest] = able.toSorted((a, b) => b.ratePerS - a.ratePerS);
  const faults = backends.value.flatMap((fact) => (fact.ok ? [] : [`${fact.name}: ${fact.why}`]));
  if (best === undefined) return broken(name, faults.join('; '), 'Install the package anew: it computes wrongly here.');
  const others = [...rest.map((fact) => `${fact.name} ${Math.round(fact.ratePerS)}`), ...faults];
  const detail = `${best.name}, ${Math.round(best.ratePerS)} a second${others.length === 0 ? '' : ` (${others.join('; ')})`}`;
  if (best.name !== 'noble') return fine(name, detail);
  return doubtful(name, detail, 'Put secp256k1.wasm beside the program: it checks ten times as many.');
}

/** Each signature stops the agent, and all guests with it, until it is there. */
async function signerFinding(name: string, socket: string, probe: DoctorProbe): Promise<Finding> {
  if ((await probe.file(socket)) === undefined) {
    const fix = 'Start the process that holds the key, or unset shareagent.storage.signer_socket.';
    return broken(name, `${socket} is not there`, fix);
  }
  const signed = await probe.signingMs(socket);
  if (!signed.ok)
    return broken(name, signed.message, "Make it answer, and let the agent's user open its socket: docs/wallet.md.");
  const detail = `held by the process at ${socket}, ${signed.value.toFixed(1)} ms a signature`;
  if (signed.value <= WANTED_SIGNING_MS) return fine(name, detail);
  return doubtful(
    name,
    `${detail}: all guests wait so long`,
    'Let a faster process hold it, or keep the key in a file.',
  );
}
