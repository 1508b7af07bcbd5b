/** A channel that moves between a router and its sister: what they tell each other, and the state it leads to. */
import type { Custody } from '../../../../agent/core/custody.ts';
import type { RoamingSelf } from '../../../../agent/core/roaming.ts';
import type { AgentState } from '../../../../agent/core/state.ts';
import type { Address } from '../../../../protocol/address.ts';
import type { CarriedChannel, HandOver } from '../../../../protocol/hand-over.ts';
import type { Hex } from '../../../../protocol/hex.ts';
import { DEVICE, NOW_S, PAYEE, Story, testChannel, testVoucher } from './story.ts';
import { testTicks } from './tick-voucher.ts';

export const HOME: Address = DEVICE;
export const SISTER: Address = '0x00000000000000000000000000000000000000d2';
export const STRANGER: Address = '0x00000000000000000000000000000000000000d3';
export const ID = testChannel().id;
export const US: RoamingSelf = {
  self: HOME,
  payee: PAYEE,
  sisters: new Set([SISTER]),
  marginSeconds: 600,
  nowS: NOW_S,
};
export const AT_SISTER: RoamingSelf = { ...US, self: SISTER, sisters: new Set([HOME]) };

export function carried(change: Partial<HandOver> = {}, more: Partial<CarriedChannel> = {}): CarriedChannel {
  const handOver: HandOver = {
    channelId: ID,
    sequence: 1n,
    from: HOME,
    to: SISTER,
    deposit: 10_000n,
    amount: 1_050n,
    charged: 450n,
    downBytes: 40_000_000n,
    upBytes: 0n,
    onlineMs: 5_000n,
    trialBytes: 0n,
    unitsPerMb: 10n,
    unitsPerMinute: 0n,
    openFee: 50n,
    mode: 'hold',
    isOver: false,
    ...change,
  };
  return { handOver, config: testChannel().config, voucher: testVoucher(1_050n), ...more };
}

/** Credit by the first `index` coins of a chain that the guest signed. */
export function ticksOf(index: number, channelId: Hex = ID): NonNullable<CarriedChannel['ticks']> {
  const { voucher, coin } = testTicks({ channelId, ticks: 64n }, 7);
  return { voucher, last: coin(index) };
}

/** A story at the sister, where the channel has just arrived. */
export function visited(one: CarriedChannel = carried()): Story {
  const story = new Story();
  story.send({ kind: 'hand-over-arriving', carried: one });
  story.send({ kind: 'hand-over-taken', self: SISTER, carried: one });
  return story;
}

export const withCustody = (state: AgentState, ...all: readonly Custody[]): AgentState => ({
  ...state,
  custody: new Map(all.map((one) => [one.last.handOver.channelId, one])),
});
