/** A core under test: a configuration, a state, and events fed one by one with the whole action list in return. */
import type { AgentAction } from '../../../../agent/core/actions.ts';
import type { AgentConfig } from '../../../../agent/core/config.ts';
import type { AgentEvent } from '../../../../agent/core/events.ts';
import { handle } from '../../../../agent/core/handle.ts';
import type { Channel, CounterKey, DeviceName, IpAddress, Mac, SessionId } from '../../../../agent/core/model.ts';
import { type AgentState, emptyState } from '../../../../agent/core/state.ts';
import type { Address } from '../../../../protocol/address.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import type { SignedVoucher } from '../../../../protocol/voucher.ts';

export const NOW_S = 1_800_000_000n;
export const DEVICE: Address = '0x00000000000000000000000000000000000000de';
export const PAYEE: Address = '0x00000000000000000000000000000000000000aa';
export const GUEST: Address = '0x0000000000000000000000000000000000000123';
export const PHONE = '02:00:00:00:00:01' as Mac;
export const LAPTOP = '02:00:00:00:00:02' as Mac;
export const WLAN0 = 'phy0-ap0' as DeviceName;
export const WLAN1 = 'phy1-ap0' as DeviceName;
export const PHONE_IP = '10.0.0.11' as IpAddress;

/** 10 units per MB (1 SSP buys 1 GB), no time price, 1 MB trial. */
export function testConfig(change: (config: AgentConfig) => AgentConfig = (config) => config): AgentConfig {
  return change({
    isEnabled: true,
    logLevel: 'info',
    controlSocketPath: '/var/run/shareagent/control.sock',
    network: {
      guestDevices: ['br-guest' as DeviceName],
      leaseFile: '/tmp/dhcp.leases',
      ubusSocket: '/var/run/ubus/ubus.sock',
    },
    portal: { port: 2050, host: 'portal.lan', name: 'Test WiFi' },
    price: {
      tariff: { unitsPerMb: 10n, unitsPerMinute: 0n },
      windows: [],
      packages: [],
      minDeposit: 1_000n,
      openFee: 50n,
      trialBytes: 1_000_000n,
      trialBytesPerDay: 3_000_000n,
    },
    chain: {
      rpcUrl: 'http://127.0.0.1:8545',
      chainId: 31_337n,
      channels: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
      token: '0x0000000000000000000000000000000000000701',
      tokenName: 'SSP',
      tokenVersion: '1',
      registry: '0x0000000000000000000000000000000000000000',
      payee: PAYEE,
      channelSeconds: 86_400,
      exitDelaySeconds: 3_600,
      marginSeconds: 600,
    },
    proofs: { intervalSeconds: 60 },
    storage: { databasePath: ':memory:', deviceKeyPath: 'device.key' },
    session: { graceSeconds: 30, absentSeconds: 600, sampleMs: 1_000, flushSeconds: 60, flushBytes: 1_000_000n },
  });
}

export function testChannel(change: Partial<Channel> = {}): Channel {
  const id: Hex = change.id ?? `0x${'c1'.repeat(32)}`;
  return {
    id,
    config: {
      payer: GUEST,
      signer: GUEST,
      payee: PAYEE,
      device: DEVICE,
      expiry: NOW_S + 86_400n,
      exitDelay: 3_600n,
      salt: `0x${'05'.repeat(32)}`,
    },
    mode: 'hold',
    tariff: { unitsPerMb: 10n, unitsPerMinute: 0n },
    openFee: 50n,
    phase: 'pending',
    deposit: 0n,
    voucher: testVoucher(1_050n, id),
    ...change,
  };
}

export function testVoucher(amount: bigint, channelId: Hex = `0x${'c1'.repeat(32)}`, ackBytes = 0n): SignedVoucher {
  return { channelId, amount, ackBytes, signature: `0x${amount.toString(16).padStart(128, '0')}` };
}

type EventBody<E = AgentEvent> = E extends AgentEvent ? Omit<E, 'nowMs'> : never;

export class Story {
  readonly config: AgentConfig;
  state: AgentState;
  nowMs = 1_000;
  readonly events: AgentEvent[] = [];

  constructor(config: AgentConfig = testConfig(), state: AgentState = emptyState(1_000, NOW_S)) {
    this.config = config;
    this.state = state;
  }

  send(body: EventBody): readonly AgentAction[] {
    const event = { ...body, nowMs: this.nowMs } as AgentEvent;
    this.events.push(event);
    const { state, actions } = handle(this.state, event, this.config);
    this.state = state;
    return actions;
  }

  /** Lets time pass and ticks once. */
  wait(ms: number): readonly AgentAction[] {
    this.nowMs += ms;
    return this.send({ kind: 'tick', nowS: NOW_S + BigInt(Math.floor(this.nowMs / 1000)) });
  }

  /** The counter of the phone's downloads stands at `bytes`. */
  counted(sessionId: SessionId, bytes: bigint, key: CounterKey = `down:${PHONE_IP}`): readonly AgentAction[] {
    return this.send({ kind: 'counters-read', counters: [{ sessionId, key, bytes, packets: 1n }] });
  }

  /** An active channel of the phone: 10,000 units deposited, first voucher 1,050 = open fee + 100 MB. Returns its session. */
  paid(channel: Channel = testChannel(), mac: Mac = PHONE): SessionId {
    this.send({ kind: 'station-joined', mac, port: WLAN0 });
    this.send({ kind: 'channel-opening', mac, channel });
    this.send({ kind: 'channel-confirmed', channelId: channel.id, deposit: 10_000n, tx: `0x${'0a'.repeat(32)}` });
    return this.state.sessionByMac.get(mac) as SessionId;
  }

  /** The kernel serves these sessions and no others. */
  reconciled(served: readonly SessionId[] = []): readonly AgentAction[] {
    return this.send({ kind: 'reconciled', served: new Set(served), counters: [] });
  }
}

/** The kinds of the actions, in order: enough where the content is checked elsewhere. */
export function kindsOf(actions: readonly AgentAction[]): readonly string[] {
  return actions.map(({ kind }) => kind);
}
