/**
 * Every option of /etc/config/shareagent: name, kind (with unit and range), default and what it is for. Parser, error
 * messages, the commented default file and docs/configuration.md all come from this one table.
 */
import { ZERO_ADDRESS } from '../../../protocol/address.ts';
import {
  address,
  bytes,
  chainId,
  choice,
  deviceName,
  duration,
  filePath,
  flag,
  httpUrl,
  integer,
  ipAddress,
  label,
  type OptionKind,
  ssp,
  timeOfDay,
} from './option-kind.ts';
import { anyOf, defaulted, listed, optional, required, type SectionSpec } from './option-spec.ts';
import { place } from './place-kind.ts';
import { PORTAL_SECTION } from './portal-section.ts';
import { ROAMING_OPTIONS } from './roaming-options.ts';
import { SESSION_OPTIONS } from './session-options.ts';
import { TRIAL_OPTIONS } from './trial-options.ts';

const ANVIL_RPC = 'http://127.0.0.1:8545';
const perMb = ssp('0', '1000000', '0.1');
const perMinute = ssp('0', '1000000', '0.05');

export const OPTION_TABLE = {
  agent: {
    max: 1,
    shown: ['enabled'],
    doc: 'The agent itself.',
    options: {
      enabled: defaulted(flag(), '0', 'Sell WiFi. While 0 nothing runs, and guests stay behind the static deny table.'),
      log_level: defaulted(
        choice('debug', 'info', 'warn', 'error'),
        'info',
        'What is written to the system log (logread -e shareagent).',
      ),
      control_socket: defaulted(
        filePath(90),
        '/var/run/shareagent/control.sock',
        'Where the command line reaches the running agent; mode 0600.',
      ),
    },
  },
  network: {
    max: 1,
    shown: ['guest_device'],
    doc: 'The guest network. Only these devices are touched: LAN, LuCI and ssh stay as they are.',
    options: {
      guest_device: listed(deviceName(), ['br-guest'], 8, 'A bridge whose guests pay. One line for each.'),
      lease_file: defaulted(filePath(200), '/tmp/dhcp.leases', 'Lease file of dnsmasq.'),
      ubus_socket: defaulted(
        filePath(100),
        '/var/run/ubus/ubus.sock',
        'Socket of ubusd: hostapd, dnsmasq and netifd are heard through it.',
      ),
      rate_down: defaulted(
        integer(0, 10_000_000, 'kbit/s, 0 = unlimited'),
        '0',
        'Fastest download of one guest. Set it together with rate_up.',
      ),
      rate_up: defaulted(
        integer(0, 10_000_000, 'kbit/s, 0 = unlimited'),
        '0',
        'Fastest upload of one guest. Set it together with rate_down.',
      ),
      place: optional(
        place(),
        'CH:u0qj',
        'Where this network is, for all to read in its signed offer. Unset: nowhere is told.',
      ),
    },
  },
  portal: PORTAL_SECTION,
  price: {
    max: 1,
    shown: ['per_mb', 'per_minute', 'min_deposit'],
    doc: 'What guests pay. Traffic and time add up. A change applies to new sessions; a running one keeps the price it was opened with.',
    options: {
      per_mb: defaulted(perMb, '0.1', 'Price of 1,000,000 bytes, upload and download together, IP headers included.'),
      per_minute: defaulted(perMinute, '0', 'Price of one minute online.'),
      min_deposit: defaulted(
        ssp('0.0001', '1000000', '1'),
        '1',
        'Smallest deposit that a channel is opened for; at least 20 times open_fee. What is not used goes back to the guest.',
      ),
      open_fee: defaulted(
        ssp('0', '10000', '0.05'),
        '0.05',
        'Charged once for each channel: gives back the gas that the router pays to open it.',
      ),
      trial_bytes: defaulted(
        bytes(0n, 1_000_000_000n),
        '1MB',
        'Free bytes of one guest each day, enough to open the page and pay. 0 = none.',
      ),
      trial_bytes_per_day: defaulted(
        bytes(0n, 1_000_000_000_000n),
        '200MB',
        'Free bytes of all guests together each day (UTC): the most that guests can take by changing their MAC address.',
      ),
      gift_bytes_per_day: defaulted(
        bytes(0n, 1_000_000_000_000n),
        '10GB',
        'The most that session_extend (ubus, LuCI) gives away each day (UTC), all sessions together. 0 = nothing.',
      ),
    },
  },
  ...TRIAL_OPTIONS,
  window: {
    max: 24,
    shown: [],
    doc: 'Another price from one time of day to another, past midnight if `to` is earlier than `from`. Of windows that overlap the first one counts.',
    options: {
      from: required(timeOfDay(), 0, '22:00', 'First minute of the window.'),
      to: required(timeOfDay(), 1, '06:00', 'First minute after the window.'),
      per_mb: required(
        perMb,
        1n,
        '0.05',
        'Price of 1,000,000 bytes in the window. 0 with per_minute 0: the window is free.',
      ),
      per_minute: defaulted(perMinute, '0', 'Price of one minute online in the window.'),
    },
  },
  package: {
    max: 12,
    shown: [],
    doc: 'A one-tap offer on the page: the guest commits this much, and gets back what is not used.',
    options: {
      name: required(label(24), '-', 'Coffee break', 'What the button says.'),
      price: required(ssp('0.0001', '1000000', '5'), 1n, '5', 'The most that is spent; not below price.min_deposit.'),
    },
  },
  chain: {
    max: 1,
    shown: ['payee', 'rpc_url', 'chain_id', 'channels', 'token', 'token_name', 'registry'],
    doc: 'The chain that channels settle on.',
    options: {
      payee: required(
        address(),
        ZERO_ADDRESS,
        '0x1111111111111111111111111111111111111111',
        'Your own address: what guests pay goes there.',
      ),
      rpc_url: required(httpUrl(), ANVIL_RPC, ANVIL_RPC, 'JSON-RPC endpoint of the chain.'),
      rpc_backup: anyOf(
        httpUrl(),
        'https://rpc.example',
        3,
        'Another endpoint, of another operator. Asked when rpc_url fails; and no open, claim or close counts before two say so.',
      ),
      chain_id: required(chainId(), 31337n, '31337', 'Id that rpc_url must answer with.'),
      channels: required(
        address(),
        ZERO_ADDRESS,
        '0x2222222222222222222222222222222222222222',
        'Contract ShareChannels.',
      ),
      token: required(address(), ZERO_ADDRESS, '0x3333333333333333333333333333333333333333', 'The SSP token.'),
      token_name: required(
        label(64),
        '-',
        'SSP Test Token',
        "The token's EIP-712 domain name, exactly as the contract has it: with another one no deposit is valid.",
      ),
      token_version: defaulted(label(16), '1', "The token's EIP-712 domain version."),
      registry: required(
        address(),
        ZERO_ADDRESS,
        '0x4444444444444444444444444444444444444444',
        'Contract DeviceRegistry: the domain of everything the router signs about itself.',
      ),
      rewards: optional(
        address(),
        '0x6666666666666666666666666666666666666666',
        'Contract ShareRewards. Set: rewards are shown, and claimed once they bring claim_ratio times their gas.',
      ),
      channel_life: defaulted(
        duration(600, 366 * 86_400),
        '7d',
        'From opening a channel to its expiry, when anyone may give the guest the rest back.',
      ),
      confirmations: defaulted(
        integer(1, 64, 'blocks'),
        '1',
        'Blocks, the newest included, until a deposit counts. Until then only the trial is served.',
      ),
      claim_ratio: defaulted(
        integer(1, 10_000, 'times'),
        '20',
        'Running channels are claimed once it brings so many times its gas, as gas_worth values it.',
      ),
      gas_worth: optional(
        ssp('0.0001', '10000', '0.05'),
        '0.05',
        'What the gas of one open (110k) is worth to you. Unset: price.open_fee, or 0.05 if that is 0.',
      ),
      exit_delay: defaulted(
        // A quote is good for 10 min, and exits are looked for every 5: who leaves with the quote in hand is still seen in time.
        duration(900, 30 * 86_400),
        '1h',
        'How long you have to claim after a guest asks for the deposit back on chain. Below 1h an outage can cost you income.',
      ),
      voucher_margin: defaulted(
        duration(30, 7 * 86_400),
        '15m',
        'No vouchers are taken this long before expiry, so that the claim still gets through. Less than half of channel_life.',
      ),
    },
  },
  proofs: {
    max: 1,
    shown: [],
    doc: 'Signed traffic proofs: what your rewards rest on.',
    options: {
      collector_url: optional(
        httpUrl(),
        'https://collector.example/v1/proofs',
        'Where proofs are sent. Unset: they are kept on the router.',
      ),
      collector: optional(
        address(),
        '0x5555555555555555555555555555555555555555',
        'Key that the receipts must be signed with. Needed with collector_url.',
      ),
      collector_backup: listed(
        httpUrl(),
        [],
        3,
        'Another address of the same collector, tried when collector_url fails.',
      ),
      backup_address: optional(
        ipAddress(),
        '192.0.2.7',
        'Address of this router on a second uplink: the collector is tried from there when all else fails.',
      ),
      interval: defaulted(duration(1, 86_400), '10m', 'Time that one proof covers.'),
      budget: defaulted(
        bytes(65_536n, 16_777_216n),
        '2097152',
        'Flash for what the collector has not got yet. While it is out of reach older intervals are merged to stay within it; nothing is dropped.',
      ),
    },
  },
  storage: {
    max: 1,
    shown: [],
    doc: 'What must survive a power cut. Not in /tmp, which is memory.',
    options: {
      database: defaulted(
        filePath(200),
        '/etc/shareagent/ledger.db',
        'The ledger (SQLite). Outside /etc/shareagent: in a folder of the user shareagent.',
      ),
      device_key: defaulted(
        filePath(200),
        '/etc/shareagent/device.key',
        "The router's key; made at the first start with mode 0600. Whoever has it can sign as this router.",
      ),
      signer_socket: optional(
        filePath(90),
        '/run/signer.sock',
        'Unix socket of a process that holds the key instead of device_key, such as a hardware key store (docs/wallet.md).',
      ),
    },
  },
  ...SESSION_OPTIONS,
  ...ROAMING_OPTIONS,
} as const satisfies Readonly<Record<string, SectionSpec>>;

export type OptionTable = typeof OPTION_TABLE;
export type SectionType = keyof OptionTable;

/** What a parsed section holds, by the table. */
export type SectionValues<Type extends SectionType> = {
  readonly [Name in keyof OptionTable[Type]['options']]: ValueOf<OptionTable[Type]['options'][Name]>;
};

type ValueOf<O> = O extends { readonly presence: infer P; readonly kind: OptionKind<infer T> }
  ? P extends 'list'
    ? readonly T[]
    : P extends 'optional'
      ? T | undefined
      : T
  : never;
