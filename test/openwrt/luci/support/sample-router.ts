/** Routers as the pages may find them: a busy café, a quiet one, one whose guests attack the owner's browser, broken ones. */
import type { FakeRouter, Replies, UciSections } from './fake-rpcd.ts';

const NOW_S = 1_795_000_000;
export const PAYEE = '0x52908400098527886e0f7030069857d2e4169ee7';

/** What a guest's device may tell DHCP as its name, and worse. */
export const HOSTILE_NAMES = [
  '<img src=x onerror="window.hacked=1">',
  '</td></tr></table><script>window.hacked=2</script>',
  '"><svg onload=window.hacked=3>',
  "javascript:window.hacked=4//'%s%h%d",
  '<b>bold</b> &lt;entity&gt;',
] as const;

const UCI: UciSections = Object.fromEntries(
  Object.entries({
    agent: { enabled: '1' },
    network: { guest_device: ['br-guest'], rate_down: '20000', rate_up: '5000' },
    portal: { name: 'Café Zentral' },
    price: { per_mb: '0.1', per_minute: '0', min_deposit: '1' },
    chain: {
      payee: PAYEE,
      rpc_url: 'https://rpc.example/v1',
      chain_id: '31337',
      channels: `0x${'22'.repeat(20)}`,
      token: `0x${'33'.repeat(20)}`,
      token_name: 'SSP Test Token',
      registry: `0x${'44'.repeat(20)}`,
    },
    proofs: { collector_url: 'https://collector.example/v1/proofs', collector: `0x${'55'.repeat(20)}` },
    storage: {},
    session: {},
  }).map(([type, options], i) => [type, section(type, type, i, options)]),
);

const SEVERAL: UciSections = {
  cfg0a: section('package', 'cfg0a', 8, { name: 'Coffee break', price: '5' }, true),
  cfg0b: section('package', 'cfg0b', 9, { name: 'All day', price: '20' }, true),
  cfg0c: section('window', 'cfg0c', 10, { from: '22:00', to: '06:00', per_mb: '0.05' }, true),
};

const RUNNING: Replies = {
  service: { installed: true, boot: true, selling: true, running: true },
  log: {
    readable: true,
    lines: [
      'Mon Nov 23 00:40:12 2026 daemon.info shareagent[2311]: {"level":"info","msg":"voucher accepted","remaining":"412880"}',
      'Mon Nov 23 00:40:30 2026 daemon.info shareagent[2311]: {"level":"info","msg":"proof stored","seq":148}',
    ],
  },
  action: { ok: true },
};

const HEALTH = [
  { check: 'nft', ok: true, message: 'The packet filter is loaded and nobody changed it.' },
  { check: 'clock', ok: true, message: 'The clock is set.' },
  { check: 'chain', ok: true, message: 'The blockchain answers, 2 s behind.' },
  {
    check: 'wifi-counters',
    ok: false,
    level: 'warn',
    message: 'WiFi and packet filter count differently for one guest: 3 % apart.',
    fix: 'Usually a guest that just came back. If it stays, restart the WiFi: wifi reload.',
  },
];

export const BUSY: FakeRouter = {
  rights: 'write',
  uci: { ...UCI, ...SEVERAL },
  plugin: RUNNING,
  agent: {
    status: {
      version: '0.1.0',
      state: 'selling',
      not_selling: [],
      uptime_s: 363_912,
      device: `0x${'ab'.repeat(20)}`,
      payee: PAYEE,
      sessions: 4,
      guests_online: 3,
      clock: 'synced',
      bus: 'connected',
      chain: { connected: true, claimable_units: '1284300', settled_units: '98412000' },
      proofs: { pending: 2, accepted: 612, rejected: 3 },
      bytes_today: 8_412_345_678,
      earned_today_units: '8412345',
      restart_needed: [],
      health: HEALTH,
    },
    sessions: { sessions: sessions(['annas-phone', 'Pixel-8', '']) },
    session_end: {},
    session_extend: { bytes: 50_000_000 },
    channels: {
      channels: [1, 2, 3].map((id) => ({
        id: `0x${String(id).repeat(64)}`,
        payer: `0x${'c0ffee'.repeat(6)}000${id}`,
        state: id === 3 ? 'closing' : 'active',
        mode: 'hold',
        deposit_units: '50000',
        accepted_units: '50000',
        charged_units: String(12_345 * id),
        expiry_s: NOW_S + id * 86_400,
      })),
    },
    earnings: { days: days(), undated_bytes: 12_345_678 },
    proofs: {
      proofs: ['waiting', 'valid', 'valid', 'bytes-below-ack', 'gap'].map((verdict, i) => ({
        epoch: 3,
        seq: 148 - i,
        start_s: NOW_S - (i + 1) * 600,
        end_s: NOW_S - i * 600,
        bytes: 81_234_567 * (i + 1),
        paid_units: String(81_234 * (i + 1)),
        verdict,
        ...(verdict === 'gap' ? { reason: 'Proof 143 is missing.' } : {}),
        digest: `0x${'00'.repeat(32)}`,
      })),
    },
    price: {
      per_mb_units: '1000',
      per_minute_units: '0',
      open_fee_units: '500',
      min_deposit_units: '10000',
      trial_bytes: 1_000_000,
      now: { per_mb_units: '1000', per_minute_units: '0' },
      packages: [
        { name: 'Coffee break', price_units: '50000', bytes: 49_500_000 },
        { name: 'All day', price_units: '200000', bytes: 199_500_000 },
      ],
      windows: [{ from: '22:00', to: '06:00', per_mb_units: '500', per_minute_units: '0' }],
    },
    doctor: {
      checks: HEALTH.map(({ check, ...rest }) => ({ name: check, level: rest.ok ? 'ok' : 'warn', ...rest })),
    },
  },
};

export const QUIET: FakeRouter = {
  ...BUSY,
  uci: UCI,
  plugin: { ...RUNNING, log: { readable: true, lines: [] } },
  agent: {
    ...BUSY.agent,
    status: {
      ...(BUSY.agent?.['status'] as Record<string, unknown>),
      sessions: 0,
      guests_online: 0,
      chain: { claimable_units: '0', settled_units: '0' },
      proofs: { pending: 0, accepted: 0, rejected: 0 },
      bytes_today: 0,
      earned_today_units: '0',
      health: HEALTH.slice(0, 2),
    },
    sessions: { sessions: [] },
    channels: { channels: [] },
    earnings: { days: [] },
    proofs: { proofs: [] },
    price: { ...(BUSY.agent?.['price'] as Record<string, unknown>), packages: [], windows: [] },
    doctor: { checks: [] },
  },
};

/** With pass codes, as the agent will have them. */
export const WITH_PASSES: FakeRouter = {
  ...BUSY,
  agent: {
    ...BUSY.agent,
    pass_list: { passes: [{ code: 'K7QF-2M9X-TTRA', value_units: '50000', state: 'unused' }] },
    pass_create: { passes: [] },
  },
};

export const HOSTILE: FakeRouter = {
  ...WITH_PASSES,
  plugin: { ...RUNNING, log: { readable: true, lines: HOSTILE_NAMES } },
  agent: { ...WITH_PASSES.agent, ...hostileReplies() },
};

export const SWITCHED_OFF: FakeRouter = down({ installed: true, boot: true, selling: false, running: false });
export const STOPPED: FakeRouter = down({ installed: true, boot: true, selling: true, running: false });
export const CRASHED: FakeRouter = down({ installed: true, boot: true, selling: true, running: false, exit_code: 70 });
export const SILENT: FakeRouter = down({ installed: true, boot: true, selling: true, running: true });
export const NOT_INSTALLED: FakeRouter = down({ installed: false, boot: false, selling: false, running: false });
export const NO_PLUGIN: FakeRouter = { rights: 'write', uci: UCI };
export const NO_RIGHTS: FakeRouter = { ...BUSY, rights: 'none' };
export const READ_ONLY: FakeRouter = { ...BUSY, rights: 'read' };

function down(service: Readonly<Record<string, unknown>>): FakeRouter {
  return { rights: 'write', uci: UCI, plugin: { ...RUNNING, service } };
}

function section(
  type: string,
  name: string,
  index: number,
  options: Readonly<Record<string, unknown>>,
  isAnonymous = false,
): Readonly<Record<string, unknown>> {
  return { '.anonymous': isAnonymous, '.type': type, '.name': name, '.index': index, ...options };
}

function sessions(names: readonly string[]): readonly Readonly<Record<string, unknown>>[] {
  const states = ['active', 'grace', 'trial', 'closing', 'settled'];
  return states.map((state, i) => ({
    id: i + 1,
    mac: `3a:5c:1f:00:00:0${i}`,
    macs: [`3a:5c:1f:00:00:0${i}`],
    addresses: [`192.168.44.1${i}`, `fd12:3456:789a:0:385c:1fff:fe00:${i}`],
    ...(names[i] ? { hostname: names[i] } : {}),
    state,
    ...(state === 'trial' ? {} : { mode: 'hold', channel: `0x${'11'.repeat(32)}` }),
    started_s: NOW_S - 3_000,
    online_s: 2_712 + i * 3_600,
    bytes_up: 4_123_456,
    bytes_down: 141_123_456 * (i + 1),
    left_bytes: state === 'active' ? 412_880_000 : 0,
    credit_units: state === 'trial' ? '0' : '500000',
    charged_units: state === 'trial' ? '0' : String(87_120 + 1_111 * i),
    ...(i === 0 ? { air: { signal_dbm: -58, rate_down_kbit: 144_000, rate_up_kbit: 72_000 } } : {}),
  }));
}

function days(): readonly Readonly<Record<string, unknown>>[] {
  return Array.from({ length: 7 }, (_, i) => {
    const bytes = 9_000_000_000 - i * 1_100_000_000;
    return {
      date: `2026-11-${23 - i}`,
      bytes,
      paid_units: String(bytes / 1_000),
      proven_bytes: bytes - (i === 0 ? 300_000_000 : 0),
      accepted_bytes: bytes - (i === 0 ? 800_000_000 : 0),
      ...(i > 1 ? { rewarded_units: String(bytes / 10_000) } : {}),
      reasons:
        i === 0
          ? [
              { stage: 'sign', bytes: 300_000_000 },
              { stage: 'collector', reason: 'bytes-below-ack', bytes: 500_000_000 },
            ]
          : [],
    };
  });
}

/** The attack in every text that the agent passes on. */
function hostileReplies(): Replies {
  const [image, script, svg, format, bold] = HOSTILE_NAMES;
  return {
    status: {
      ...(BUSY.agent?.['status'] as Record<string, unknown>),
      state: 'not-selling',
      not_selling: [image],
      version: script,
      restart_needed: [svg],
      health: [{ check: 'x', ok: false, message: bold, fix: image }],
      proofs: { held: script },
    },
    sessions: { sessions: [...sessions(HOSTILE_NAMES), ...sessions([image])].map((row, i) => ({ ...row, id: i + 1 })) },
    channels: { channels: [{ id: image, payer: image, state: svg, deposit_units: script, charged_units: bold }] },
    earnings: { days: [{ date: image, paid_units: svg, bytes: script, reasons: [{ stage: bold, reason: image }] }] },
    proofs: { proofs: [{ epoch: 1, seq: 2, verdict: image, reason: script, paid_units: svg }] },
    price: { now: { per_mb_units: image }, packages: [{ name: svg, price_units: format }] },
    doctor: { checks: [{ name: 'x', ok: false, level: 'fail', message: image, fix: format }] },
    pass_list: { passes: [{ code: image, value_units: svg, state: script }] },
  };
}
