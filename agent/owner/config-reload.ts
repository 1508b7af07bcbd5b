/**
 * The configuration while the agent runs: what may change under it does so at once, what may not is named. Every part of the
 * agent is given `view`, whose fields are read anew each time; what a part took out of it when it was made stays as it was,
 * so such options are on RESTART_OPTIONS. Channels carry their own tariff: a new price is never that of a running session.
 */
import type { AgentConfig } from '../core/config.ts';
import type { DriverLog } from '../driver.ts';
import type { HealthCheck } from '../ports.ts';

type OptionOf = (config: AgentConfig) => unknown;

/** Options, as in /etc/config/shareagent, that count as soon as they are read. Sections that may come many times end in []. */
export const LIVE_OPTIONS: Readonly<Record<string, OptionOf>> = {
  'agent.enabled': (config) => config.isEnabled,
  'agent.log_level': (config) => config.logLevel,
  'network.rate_down': (config) => config.network.rate?.downBytesPerS,
  'network.rate_up': (config) => config.network.rate?.upBytesPerS,
  'portal.name': (config) => config.portal.name,
  'portal.welcome': (config) => config.portal.welcome,
  'portal.colour': (config) => config.portal.colour,
  'portal.colour_dark': (config) => config.portal.colourDark,
  'portal.folder': (config) => config.portal.folder,
  'portal.venue_url': (config) => config.portal.venueUrl,
  'portal.faucet': (config) => config.portal.faucetUnits,
  'portal.tls_cert': (config) => config.portal.tls?.certPath,
  'portal.tls_key': (config) => config.portal.tls?.keyPath,
  'price.per_mb': (config) => config.price.tariff.unitsPerMb,
  'price.per_minute': (config) => config.price.tariff.unitsPerMinute,
  'price.min_deposit': (config) => config.price.minDeposit,
  'price.open_fee': (config) => config.price.openFee,
  'price.trial_bytes': (config) => config.price.trialBytes,
  'price.trial_bytes_per_day': (config) => config.price.trialBytesPerDay,
  'price.gift_bytes_per_day': (config) => config.price.giftBytesPerDay,
  'trial.seconds': (config) => config.price.trial?.seconds,
  'trial.per_hour': (config) => config.price.trial?.perHour,
  'trial.line_down': (config) => config.price.trial?.rate.downBytesPerS,
  'trial.line_up': (config) => config.price.trial?.rate.upBytesPerS,
  'trial.share': (config) => config.price.trial?.rate,
  'garden.domain': (config) => config.price.gardenDomains,
  'network.place': (config) => config.network.place,
  'window[]': (config) => config.price.windows,
  'package[]': (config) => config.price.packages,
  'chain.channel_life': (config) => config.chain.channelSeconds,
  'chain.voucher_margin': (config) => config.chain.marginSeconds,
  'chain.claim_ratio': (config) => config.chain.claimRatio,
  'chain.gas_worth': (config) => config.chain.gasWorthUnits,
  'proofs.interval': (config) => config.proofs.intervalSeconds,
  'session.grace': (config) => config.session.graceSeconds,
  'session.absent': (config) => config.session.absentSeconds,
  'session.flush': (config) => config.session.flushSeconds,
  'session.flush_bytes': (config) => config.session.flushBytes,
};

/** Options that sockets, keys, timers or the chain's domain were made from. */
export const RESTART_OPTIONS: Readonly<Record<string, OptionOf>> = {
  'agent.control_socket': (config) => config.controlSocketPath,
  'network.guest_device': (config) => config.network.guestDevices,
  'network.lease_file': (config) => config.network.leaseFile,
  'network.ubus_socket': (config) => config.network.ubusSocket,
  'portal.port': (config) => config.portal.port,
  'portal.host': (config) => config.portal.host,
  'chain.payee': (config) => config.chain.payee,
  'chain.rpc_url': (config) => config.chain.rpcUrl,
  'chain.rpc_backup': (config) => config.chain.rpcBackups,
  'chain.confirmations': (config) => config.chain.confirmations,
  'chain.chain_id': (config) => config.chain.chainId,
  'chain.channels': (config) => config.chain.channels,
  'chain.token': (config) => config.chain.token,
  'chain.token_name': (config) => config.chain.tokenName,
  'chain.token_version': (config) => config.chain.tokenVersion,
  'chain.registry': (config) => config.chain.registry,
  'chain.rewards': (config) => config.chain.rewards,
  'chain.exit_delay': (config) => config.chain.exitDelaySeconds,
  'proofs.collector_url': (config) => config.proofs.collectorUrl,
  'proofs.collector': (config) => config.proofs.collector,
  'proofs.collector_backup': (config) => config.proofs.collectorBackups,
  'proofs.backup_address': (config) => config.proofs.backupAddress,
  'proofs.budget': (config) => config.proofs.budgetBytes,
  'roaming.address': (config) => config.roaming?.address,
  'roaming.port': (config) => config.roaming?.port,
  'roaming.sister': (config) => config.roaming?.sisters,
  'storage.database': (config) => config.storage.databasePath,
  'storage.device_key': (config) => config.storage.deviceKeyPath,
  'storage.signer_socket': (config) => config.storage.signerSocket,
  'session.sample_ms': (config) => config.session.sampleMs,
};

export type ConfigText =
  | { readonly ok: true; readonly config: AgentConfig }
  | { readonly ok: false; readonly errors: readonly string[] };

export type ConfigReloadDeps = {
  /** The configuration file as it is now. */
  readonly read: () => ConfigText;
  readonly log: DriverLog;
  /** Called with the names of the live options that changed, after they count. */
  readonly onChange: (changed: readonly string[]) => void;
};

export type ReloadResult = {
  /** Live options that changed and count now. */
  readonly changed: readonly string[];
  /** Options that differ from what the agent was started with and cannot change under it. */
  readonly restartNeeded: readonly string[];
  /** Why nothing was applied. */
  readonly errors: readonly string[];
};

export class ConfigReload {
  readonly #started: AgentConfig;
  #current: AgentConfig;
  #deps: ConfigReloadDeps | undefined;
  #restartNeeded: readonly string[] = [];
  #errors: readonly string[] = [];
  /** The configuration as it counts now; hand this to whoever shall follow changes. */
  readonly view: AgentConfig;

  constructor(started: AgentConfig) {
    this.#started = started;
    this.#current = started;
    this.view = liveView(started, () => this.#current);
  }

  /** Told where to read from and whom to tell, once those parts are there. */
  connect(deps: ConfigReloadDeps): void {
    this.#deps = deps;
  }

  /** Options that are changed in the file and count only after a restart. */
  get restartNeeded(): readonly string[] {
    return this.#restartNeeded;
  }

  /** Why nothing is sold as far as the owner's switch goes. */
  get saleTrouble(): string | undefined {
    if (this.#current.isEnabled) return undefined;
    return 'switched off by the owner (agent.enabled is 0); guests who paid are still served';
  }

  /** Reads the file and takes up what changed; a file with errors changes nothing. */
  reload(): ReloadResult {
    if (this.#deps === undefined) return { changed: [], restartNeeded: [], errors: ['the agent is still starting'] };
    const { read, log, onChange } = this.#deps;
    const reading = read();
    this.#errors = reading.ok ? [] : reading.errors;
    if (!reading.ok) {
      log.error({ errors: reading.errors }, 'config-not-applied');
      return { changed: [], restartNeeded: this.#restartNeeded, errors: reading.errors };
    }
    const before = this.#current;
    this.#current = merged(this.#started, before, reading.config);
    // A file that switches the agent off need not be complete: nothing of the rest of it is looked at.
    this.#restartNeeded = reading.config.isEnabled
      ? differences(RESTART_OPTIONS, this.#started, reading.config)
      : this.#restartNeeded;
    const changed = differences(LIVE_OPTIONS, before, this.#current);
    if (changed.length > 0) {
      log.info({ changed, restartNeeded: this.#restartNeeded }, 'config-applied');
      onChange(changed);
    }
    if (this.#restartNeeded.length > 0) log.warn({ options: this.#restartNeeded }, 'config-needs-restart');
    return { changed, restartNeeded: this.#restartNeeded, errors: [] };
  }

  health(): HealthCheck {
    const check = 'config';
    if (this.#errors.length > 0) {
      return {
        check,
        ok: false,
        message: `the changed configuration is not applied: ${this.#errors.join('; ')}`,
        fix: 'Mend /etc/config/shareagent (shareagent config check), then run: service shareagent reload',
      };
    }
    if (this.#restartNeeded.length > 0) {
      return {
        check,
        ok: false,
        message: `changed, but not applied yet: ${this.#restartNeeded.join(', ')}`,
        fix: 'Run: service shareagent restart (guests who paid keep surfing meanwhile)',
      };
    }
    return { check, ok: true, message: 'applied as it is written' };
  }
}

/** `next` where that is allowed under a running agent, else as started. */
function merged(started: AgentConfig, before: AgentConfig, next: AgentConfig): AgentConfig {
  if (!next.isEnabled) return { ...before, isEnabled: false };
  const { rate: _, place: ____, ...network } = started.network;
  const { rate, place } = next.network;
  const { claimRatio: __, gasWorthUnits: ___, ...chain } = started.chain;
  const { channelSeconds, marginSeconds, claimRatio, gasWorthUnits } = next.chain;
  return {
    ...started,
    isEnabled: true,
    logLevel: next.logLevel,
    network: { ...network, ...(rate === undefined ? {} : { rate }), ...(place === undefined ? {} : { place }) },
    // Port and host are what listens and what guests are sent to; the rest is looked up when it is needed.
    portal: { ...next.portal, port: started.portal.port, host: started.portal.host },
    price: next.price,
    chain: {
      ...chain,
      channelSeconds,
      marginSeconds,
      ...(claimRatio === undefined ? {} : { claimRatio }),
      ...(gasWorthUnits === undefined ? {} : { gasWorthUnits }),
    },
    proofs: { ...started.proofs, intervalSeconds: next.proofs.intervalSeconds },
    session: { ...next.session, sampleMs: started.session.sampleMs },
  };
}

function differences(options: Readonly<Record<string, OptionOf>>, a: AgentConfig, b: AgentConfig): readonly string[] {
  return Object.keys(options).filter((name) => {
    const optionOf = options[name] as OptionOf;
    return textOf(optionOf(a)) !== textOf(optionOf(b));
  });
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}` : part));
}

/** Sections that were absent at the start are absent from the view: none of them can come under a running agent. */
function liveView(started: AgentConfig, current: () => AgentConfig): AgentConfig {
  const sections = Object.keys(started) as (keyof AgentConfig)[];
  const getters = sections.map((section) => [section, { enumerable: true, get: () => current()[section] }] as const);
  return Object.defineProperties({}, Object.fromEntries(getters)) as AgentConfig;
}
