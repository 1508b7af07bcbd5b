/**
 * The agent as a process on the lab's router: its configuration file, start, stop, kill -9 and start again. What it says of
 * itself is read over its control socket, as the command line does.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type * as v from 'valibot';
import { askAgentFor } from '../../agent/cli/control-client.ts';
import {
  type ChannelAnswer,
  channelsSchema,
  type ProofAnswer,
  proofsSchema,
  type SessionAnswer,
  type StatusAnswer,
  sessionsSchema,
  statusSchema,
} from '../../agent/cli/control-schema.ts';
import type { Address } from '../../protocol/address.ts';
import { GUEST_DEVICE, PORTAL_NAME } from './addresses.ts';
import { CHAIN_URL, type ChainAddresses } from './chain.ts';
import { LabError } from './errors.ts';
import type { Running } from './host.ts';
import type { Lab } from './lab.ts';
import { until } from './wait.ts';
import type { World } from './world.ts';

const COMMAND = fileURLToPath(new URL('../../agent/cli/shareagent.ts', import.meta.url));
/** A start takes a second, and many on a machine that does much else: what is waited for is the answer. */
const READY_MS = 60_000;

export const PORTAL_PORT = 2080;
/** The owner: nobody signs for it in the lab, its balance is only looked at. */
export const OWNER: Address = '0x000000000000000000000000000000000000f00d';
/** Stands for DeviceRegistry in signatures; the contract itself is not asked. */
export const REGISTRY: Address = '0x000000000000000000000000000000000000beef';

/** Made before the agent starts, so that collector and gas know the device. */
export function deviceKeyPath(lab: Lab): string {
  return lab.path('device.key');
}

export type AgentSettings = {
  readonly chain: ChainAddresses;
  readonly ubusSocket: string;
  readonly collector?: { readonly url: string; readonly address: Address };
  /** How the command is started; from the sources unless said otherwise. */
  readonly command?: readonly string[];
  /** Options beyond the lab's, by section. */
  readonly options?: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

export class AgentProcess {
  readonly configPath: string;
  readonly logPath: string;
  readonly #world: World;
  readonly #socketPath: string;
  readonly #command: readonly string[];
  #running: Running | undefined;

  constructor(world: World, settings: AgentSettings) {
    const { lab } = world;
    this.#world = world;
    this.#command = settings.command ?? [process.execPath, COMMAND];
    this.configPath = lab.path('shareagent.conf');
    this.logPath = lab.path('agent.log');
    this.#socketPath = lab.path('control.sock');
    writeFileSync(this.configPath, configText(world, settings, this.#socketPath));
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  /** The signal that ended it; null if it ended by itself, undefined while it runs. */
  get endedBy(): NodeJS.Signals | null | undefined {
    return this.#running?.isAlive() === false ? this.#running.child.signalCode : undefined;
  }

  /** Starts it and waits until it answers. Milliseconds that took. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<number> {
    const begunMs = performance.now();
    const startsBefore = this.#starts();
    const running = this.#world.router.start('agent', [...this.#command, 'run', '--config', this.configPath], {
      logFile: this.logPath,
      env,
    });
    this.#running = running;
    await until('the agent to serve', READY_MS, () => this.#starts() > startsBefore || !running.isAlive());
    if (!running.isAlive()) throw new LabError('LAB_AGENT', `The agent ended at its start; see ${this.logPath}`);
    return performance.now() - begunMs;
  }

  async stop(): Promise<void> {
    await this.#running?.stop(10_000);
  }

  /** kill -9: no farewell, no flush. */
  async kill(): Promise<void> {
    this.#running?.signal('SIGKILL');
    await this.#running?.exited;
  }

  status(): Promise<StatusAnswer> {
    return this.#ask(statusSchema, '/status');
  }

  async sessions(): Promise<readonly SessionAnswer[]> {
    return (await this.#ask(sessionsSchema, '/sessions')).sessions;
  }

  async channels(): Promise<readonly ChannelAnswer[]> {
    return (await this.#ask(channelsSchema, '/channels')).channels;
  }

  async proofs(): Promise<readonly ProofAnswer[]> {
    return (await this.#ask(proofsSchema, '/proofs?limit=500')).proofs;
  }

  /** The session of a station now. @throws LabError if there is none */
  async sessionOf(mac: string): Promise<SessionAnswer> {
    const session = (await this.sessions()).findLast(({ macs }) => macs.includes(mac));
    if (session === undefined) throw new LabError('LAB_AGENT', `The agent has no session of ${mac}`);
    return session;
  }

  /** How often it has said that it serves: kernel in line, portal listening. */
  #starts(): number {
    return this.countLogged('agent-started');
  }

  /** How often an event is in its log. */
  countLogged(event: string): number {
    if (!existsSync(this.logPath)) return 0;
    return readFileSync(this.logPath, 'utf8').split(`"${event}"`).length - 1;
  }

  /** What the meter says of a station's session, without what changes by itself. */
  async meteredOf(mac: string): Promise<{ readonly downBytes: bigint; readonly upBytes: bigint }> {
    const { downBytes, upBytes } = await this.sessionOf(mac);
    return { downBytes, upBytes };
  }

  async #ask<Schema extends v.GenericSchema>(schema: Schema, path: string): Promise<v.InferOutput<Schema>> {
    const request = { socketPath: this.#socketPath, path, timeoutMs: 5_000 };
    return (await askAgentFor(schema, request)).value;
  }
}

function configText(world: World, settings: AgentSettings, socketPath: string): string {
  const { lab, dnsmasq } = world;
  const { chain, collector, options = {} } = settings;
  const sections: Record<string, Readonly<Record<string, string>>> = {
    agent: { enabled: '1', control_socket: socketPath, log_level: 'debug' },
    network: { lease_file: dnsmasq.leaseFile, ubus_socket: settings.ubusSocket },
    portal: { port: String(PORTAL_PORT), host: PORTAL_NAME, name: 'SSP Lab WiFi' },
    price: { per_mb: '0.1', per_minute: '0', min_deposit: '1', open_fee: '0.05', trial_bytes: '0' },
    chain: {
      payee: OWNER,
      rpc_url: CHAIN_URL,
      chain_id: chain.chainId.toString(),
      channels: chain.channels,
      token: chain.token,
      token_name: 'SSP Test Token',
      registry: REGISTRY,
    },
    proofs: collector === undefined ? {} : { collector_url: collector.url, collector: collector.address },
    storage: { database: lab.path('ledger.db'), device_key: deviceKeyPath(lab) },
    session: { sample_ms: '200' },
  };
  const names = new Set([...Object.keys(sections), ...Object.keys(options)]);
  const texts = [...names].map((name) => {
    const lists = name === 'network' ? `\tlist guest_device '${GUEST_DEVICE}'\n` : '';
    const lines = Object.entries({ ...sections[name], ...options[name] }).map(
      ([option, value]) => `\toption ${option} '${value}'\n`,
    );
    return `config ${name}\n${lists}${lines.join('')}`;
  });
  return texts.join('\n');
}
