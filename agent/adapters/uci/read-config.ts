/**
 * /etc/config/shareagent to AgentConfig: the whole configuration, or every error in it at once. Nothing in between, so
 * the agent never runs on half of what the owner wrote.
 */
import { readFileSync } from 'node:fs';
import { sspFromUnits } from '../../../protocol/units.ts';
import type { AgentConfig, TrialTerms } from '../../core/config.ts';
import { DEVELOPMENT_CHAINS } from '../../core/limits.ts';
import type { RateLimit } from '../../core/model.ts';
import { OPTION_TABLE, type SectionType } from './option-table.ts';
import { MAX_UCI_CHARACTERS, parseUci } from './parse-uci.ts';
import { type ConfigError, type ReadSection, readEach, readOnly, sectionErrors } from './section-values.ts';
import { mendTornFile, PENDING_CONFIG_PATH } from './torn-write.ts';
import type { UciPackage } from './uci-text.ts';

export type ConfigReading =
  | { readonly ok: true; readonly config: AgentConfig }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Where OpenWrt keeps it. */
export const DEFAULT_CONFIG_PATH = '/etc/config/shareagent';
/** kbit/s to bytes/s. */
const BYTES_PER_KBIT = 125n;
/** A deposit that the open fee eats up helps nobody (design of the channel protocol). */
const OPEN_FEES_PER_DEPOSIT = 20n;

/** The configuration in a file; the router's own is mended first if a write was cut off. Does not throw: a file that cannot be read is one of the errors. */
export function readConfig(path: string): ConfigReading {
  try {
    if (path === DEFAULT_CONFIG_PATH) mendTornFile(path, PENDING_CONFIG_PATH);
    const text = readFileSync(path, 'utf8');
    return configFromUci(text.slice(0, MAX_UCI_CHARACTERS + 1));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    const message =
      code === 'ENOENT'
        ? 'there is no such file; write one with: shareagent config default > FILE'
        : `cannot be read (${code}); run as root, or name another file with --config`;
    return { ok: false, errors: [{ path, message }] };
  }
}

/** "shareagent.price.per_mb: must be ..., got 'abc' (line 12)". */
export function configErrorText(error: ConfigError): string {
  return `${error.path}: ${error.message}${error.line === undefined ? '' : ` (line ${error.line})`}`;
}

/** The control socket that a file names, even if the rest of the file is wrong: the command line must reach the agent. */
export function controlSocketIn(path: string): string {
  const reading = readConfig(path);
  if (reading.ok) return reading.config.controlSocketPath;
  const spec = OPTION_TABLE.agent.options.control_socket;
  try {
    const parsed = parseUci(readFileSync(path, 'utf8'));
    const section = parsed.ok ? parsed.uci.sections.find(({ type }) => type === 'agent') : undefined;
    const option = section?.options.find(({ name }) => name === 'control_socket');
    return spec.kind.parse(option?.values[0] ?? '') ?? spec.text;
  } catch {
    // No file at all: the agent that may run was started with the default.
    return spec.text;
  }
}

export function configFromUci(text: string): ConfigReading {
  const parsed = parseUci(text);
  if (!parsed.ok) {
    const errors = parsed.faults.map(({ line, expected, got }) => ({
      path: 'shareagent',
      message: `expected ${expected}, got ${got}`,
      line,
    }));
    return { ok: false, errors };
  }
  const errors = [...sectionErrors(parsed.uci)];
  const sections = readSections(parsed.uci, errors);
  if (errors.length === 0) errors.push(...crossErrors(sections));
  return errors.length > 0 ? { ok: false, errors } : { ok: true, config: configFrom(sections) };
}

type Sections = ReturnType<typeof readSections>;

function readSections(uci: UciPackage, errors: ConfigError[]) {
  const agent = readOnly(uci, 'agent', false, errors);
  const mustBeComplete = agent.values.enabled;
  const one = <Type extends SectionType>(type: Type): ReadSection<Type> => readOnly(uci, type, mustBeComplete, errors);
  return {
    agent,
    network: one('network'),
    portal: one('portal'),
    price: one('price'),
    trial: one('trial'),
    garden: one('garden'),
    windows: readEach(uci, 'window', errors),
    packages: readEach(uci, 'package', errors),
    chain: one('chain'),
    proofs: one('proofs'),
    storage: one('storage'),
    session: one('session'),
    roaming: one('roaming'),
  };
}

/** What no option can know by itself. */
function crossErrors(sections: Sections): readonly ConfigError[] {
  const errors: ConfigError[] = [];
  const { network, portal, price, chain, proofs, roaming } = sections;
  const unless = (isRight: boolean, section: ReadSection<SectionType>, option: string, message: string): void => {
    const line = section.lineOf(option);
    if (!isRight) errors.push({ path: `${section.path}.${option}`, message, ...(line === undefined ? {} : { line }) });
  };
  const { rate_down: down, rate_up: up } = network.values;
  unless(
    (down === 0) === (up === 0),
    network,
    down === 0 ? 'rate_down' : 'rate_up',
    'must be above 0 when the other rate is set',
  );
  const { per_mb: perMb, per_minute: perMinute, min_deposit: minDeposit, open_fee: openFee } = price.values;
  unless(
    perMb > 0n || perMinute > 0n,
    price,
    'per_mb',
    'must be above 0 when per_minute is 0: everything would be free',
  );
  const least = openFee * OPEN_FEES_PER_DEPOSIT;
  unless(
    minDeposit >= least,
    price,
    'min_deposit',
    `must be at least 20 times open_fee (${sspFromUnits(least)}), got ${sspFromUnits(minDeposit)}`,
  );
  const { trial_bytes: trial, trial_bytes_per_day: perDay } = price.values;
  unless(perDay >= trial, price, 'trial_bytes_per_day', `must be at least trial_bytes (${trial} bytes), got ${perDay}`);
  for (const window of sections.windows) {
    unless(
      window.values.from !== window.values.to,
      window,
      'to',
      'must differ from "from"; for a whole day set the price itself',
    );
  }
  for (const offer of sections.packages) {
    const got = sspFromUnits(offer.values.price);
    const isEnough = offer.values.price >= minDeposit;
    unless(isEnough, offer, 'price', `must be at least price.min_deposit (${sspFromUnits(minDeposit)}), got ${got}`);
  }
  const isMarginShort = chain.values.voucher_margin * 2 < chain.values.channel_life;
  unless(isMarginShort, chain, 'voucher_margin', 'must be less than half of channel_life');
  const { tls_cert: tlsCert, tls_key: tlsKey } = portal.values;
  const [missing, given] = tlsCert === undefined ? ['tls_cert', 'tls_key'] : ['tls_key', 'tls_cert'];
  unless((tlsCert === undefined) === (tlsKey === undefined), portal, missing, `must be set with ${given}`);
  const isFaucetRight = portal.values.faucet === undefined || DEVELOPMENT_CHAINS.includes(chain.values.chain_id);
  const known = DEVELOPMENT_CHAINS.join(' or ');
  unless(
    isFaucetRight,
    portal,
    'faucet',
    `works on chain ${known} only, where SSP is worth nothing; chain.chain_id is ${chain.values.chain_id}`,
  );
  const { address: roamingAddress, sister } = roaming.values;
  const [missingRoaming, shown] = roamingAddress === undefined ? ['address', 'sister'] : ['sister', 'address'];
  const isWhole = (roamingAddress === undefined) === (sister.length === 0);
  unless(isWhole, roaming, missingRoaming, `must be set with ${shown}`);
  const hasKey = proofs.values.collector_url === undefined || proofs.values.collector !== undefined;
  unless(hasKey, proofs, 'collector', 'must be set with collector_url: receipts of an unknown key prove nothing');
  return errors;
}

function configFrom(sections: Sections): AgentConfig {
  const { agent, chain, storage, session, roaming } = sections;
  const { address: roamingAddress, port: roamingPort, sister: sisters } = roaming.values;
  return {
    isEnabled: agent.values.enabled,
    logLevel: agent.values.log_level,
    controlSocketPath: agent.values.control_socket,
    network: networkFrom(sections),
    portal: portalFrom(sections),
    price: priceFrom(sections),
    chain: {
      rpcUrl: chain.values.rpc_url,
      chainId: chain.values.chain_id,
      channels: chain.values.channels,
      token: chain.values.token,
      tokenName: chain.values.token_name,
      tokenVersion: chain.values.token_version,
      registry: chain.values.registry,
      ...(chain.values.rewards === undefined ? {} : { rewards: chain.values.rewards }),
      payee: chain.values.payee,
      channelSeconds: chain.values.channel_life,
      exitDelaySeconds: chain.values.exit_delay,
      marginSeconds: chain.values.voucher_margin,
      rpcBackups: chain.values.rpc_backup,
      confirmations: chain.values.confirmations,
      claimRatio: chain.values.claim_ratio,
      ...(chain.values.gas_worth === undefined ? {} : { gasWorthUnits: chain.values.gas_worth }),
    },
    proofs: proofsFrom(sections),
    ...(roamingAddress === undefined ? {} : { roaming: { address: roamingAddress, port: roamingPort, sisters } }),
    storage: {
      databasePath: storage.values.database,
      deviceKeyPath: storage.values.device_key,
      ...(storage.values.signer_socket === undefined ? {} : { signerSocket: storage.values.signer_socket }),
    },
    session: {
      graceSeconds: session.values.grace,
      absentSeconds: session.values.absent,
      sampleMs: session.values.sample_ms,
      flushSeconds: session.values.flush,
      flushBytes: session.values.flush_bytes,
    },
  };
}

function networkFrom({ network }: Sections): AgentConfig['network'] {
  const { guest_device: guestDevices, lease_file: leaseFile, ubus_socket: ubusSocket } = network.values;
  const { rate_down: down, rate_up: up } = network.values;
  const rate: RateLimit = { downBytesPerS: BigInt(down) * BYTES_PER_KBIT, upBytesPerS: BigInt(up) * BYTES_PER_KBIT };
  const { place } = network.values;
  return {
    guestDevices,
    leaseFile,
    ubusSocket,
    ...(down > 0 ? { rate } : {}),
    ...(place === undefined ? {} : { place }),
  };
}

function portalFrom({ portal }: Sections): AgentConfig['portal'] {
  const { port, host, name, folder, tls_cert: certPath, tls_key: keyPath } = portal.values;
  const { welcome, colour, colour_dark: colourDark, venue_url: venueUrl, faucet: faucetUnits } = portal.values;
  return {
    port,
    host,
    name,
    folder,
    ...(welcome === undefined ? {} : { welcome }),
    ...(colour === undefined ? {} : { colour }),
    ...(colourDark === undefined ? {} : { colourDark }),
    ...(venueUrl === undefined ? {} : { venueUrl }),
    ...(faucetUnits === undefined ? {} : { faucetUnits }),
    ...(certPath === undefined || keyPath === undefined ? {} : { tls: { certPath, keyPath } }),
  };
}

function priceFrom({ price, trial, garden, windows, packages }: Sections): AgentConfig['price'] {
  return {
    tariff: { unitsPerMb: price.values.per_mb, unitsPerMinute: price.values.per_minute },
    windows: windows.map(({ values }) => ({
      fromMinute: values.from,
      toMinute: values.to,
      tariff: { unitsPerMb: values.per_mb, unitsPerMinute: values.per_minute },
    })),
    packages: packages.map(({ values }) => ({ name: values.name, units: values.price })),
    minDeposit: price.values.min_deposit,
    openFee: price.values.open_fee,
    trialBytes: price.values.trial_bytes,
    trialBytesPerDay: price.values.trial_bytes_per_day,
    trial: trialFrom(trial),
    gardenDomains: garden.values.domain,
    giftBytesPerDay: price.values.gift_bytes_per_day,
  };
}

function trialFrom({ values }: Sections['trial']): TrialTerms {
  const { seconds, per_hour: perHour, line_down: down, line_up: up, share } = values;
  const part = (kbit: number): bigint => (BigInt(kbit) * BYTES_PER_KBIT * BigInt(share)) / 100n;
  return { seconds, perHour, rate: { downBytesPerS: part(down), upBytesPerS: part(up) } };
}

function proofsFrom({ proofs }: Sections): AgentConfig['proofs'] {
  const { collector_url: collectorUrl, collector, interval, budget, backup_address: backupAddress } = proofs.values;
  return {
    intervalSeconds: interval,
    budgetBytes: budget,
    collectorBackups: proofs.values.collector_backup,
    ...(backupAddress === undefined ? {} : { backupAddress }),
    ...(collectorUrl === undefined ? {} : { collectorUrl }),
    ...(collector === undefined ? {} : { collector }),
  };
}
