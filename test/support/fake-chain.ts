/** A model of ShareChannels: what was deposited, claimed and closed, and that nothing is ever claimed twice. */
import type {
  Chain,
  ChainChannel,
  ChainClaim,
  ChainClose,
  ChainCosts,
  ChainResult,
  ChainTickClaim,
  ChainTx,
  OpenDeposit,
} from '../../agent/ports.ts';
import type { Address } from '../../protocol/address.ts';
import { type ChannelConfig, type ChannelsDeployment, channelId } from '../../protocol/channel.ts';
import type { Hex } from '../../protocol/hex.ts';
import { isLaterTick } from '../../protocol/payword.ts';
import { anchorTick, tickCeiling, tickVoucherSigner } from '../../protocol/tick-voucher.ts';
import { type SignedVoucher, voucherSigner } from '../../protocol/voucher.ts';
import type { FaultLine } from './fault-line.ts';

const TX: Hex = `0x${'7e'.repeat(32)}`;
/** What each transaction costs. */
const FEE_WEI = 21_000n;
const NOT_OPEN: ChainChannel = { deposit: 0n, claimed: 0n, exitAt: 0n, isClosed: false };

export class FakeChain implements Chain {
  readonly channels: Map<Hex, ChainChannel>;
  /** Each payout, in order. */
  readonly claims: { readonly id: Hex; readonly units: bigint }[] = [];
  /** False: the node does not say what a channel holds. */
  isReachable = true;
  /** Set: the token contract refuses the deposit. */
  refusal: string | undefined;
  /** Set: called when a close arrives, before anything else. */
  onClose: ((id: Hex, units: bigint) => void) | undefined;
  /** Price of gas and coin to pay it with; absent: the node does not say. */
  prices: ChainCosts | undefined;
  /** The chain's time; absent: the node does not say. */
  unixS: bigint | undefined;
  readonly #line: FaultLine;
  readonly #deployment: ChannelsDeployment;

  /** @param channels to be seen by several routers */
  constructor(line: FaultLine, deployment: ChannelsDeployment, channels = new Map<Hex, ChainChannel>()) {
    this.channels = channels;
    this.#line = line;
    this.#deployment = deployment;
  }

  /** Like the real one, it cannot tell an authorisation that was used for less from the one that it is given. */
  relayOpen(config: ChannelConfig, deposit: OpenDeposit): Promise<ChainResult<ChainTx>> {
    const open = (): ChainResult<ChainTx> => {
      const id = channelId(this.#deployment, config);
      const known = this.channels.get(id);
      if (known !== undefined && !known.isClosed) return { ok: true, tx: TX, feeWei: FEE_WEI };
      if (this.refusal !== undefined) return { ok: false, reason: 'refused', message: this.refusal };
      const amount = 'standard' in deposit ? deposit.amount : deposit.value;
      this.channels.set(id, { ...NOT_OPEN, deposit: amount });
      return { ok: true, tx: TX, feeWei: FEE_WEI };
    };
    return this.#line.call('chain.relayOpen', open, unreachable);
  }

  channel(id: Hex): Promise<ChainResult<{ readonly channel: ChainChannel }>> {
    const read = (): ChainResult<{ readonly channel: ChainChannel }> => ({
      ok: true,
      channel: this.channels.get(id) ?? NOT_OPEN,
    });
    return this.#line.call('chain.channel', this.isReachable ? read : unreachable, unreachable);
  }

  close(config: ChannelConfig, voucher: SignedVoucher, units: bigint): Promise<ChainResult<ChainClose>> {
    const close = (): ChainResult<ChainClose> => {
      const id = channelId(this.#deployment, config);
      this.onClose?.(id, units);
      const known = this.channels.get(id) ?? NOT_OPEN;
      if (known.isClosed) return { ok: true, tx: TX, feeWei: FEE_WEI, claimedUnits: known.claimed };
      const isCovered = units <= voucher.amount && voucher.amount <= known.deposit && voucher.channelId === id;
      const isClaimed = units === known.claimed;
      if (!isClaimed && (!isCovered || voucherSigner(this.#deployment, voucher) !== config.signer))
        return { ok: false, reason: 'refused', message: `${units} units of ${voucher.amount}, ${known.deposit}` };
      this.claims.push({ id, units });
      this.channels.set(id, { ...known, claimed: units, isClosed: true });
      return { ok: true, tx: TX, feeWei: FEE_WEI, claimedUnits: units };
    };
    return this.#line.call('chain.close', close, unreachable);
  }

  claim(claims: readonly ChainClaim[]): Promise<ChainResult<ChainTx>> {
    const claim = (): ChainResult<ChainTx> => {
      for (const { config, voucher, amount } of claims) {
        const id = channelId(this.#deployment, config);
        const known = this.channels.get(id) ?? NOT_OPEN;
        if (known.isClosed || amount <= known.claimed) continue;
        if (
          amount > voucher.amount ||
          amount > known.deposit ||
          voucherSigner(this.#deployment, voucher) !== config.signer
        )
          return { ok: false, reason: 'refused', message: `${amount} units of ${voucher.amount}, ${known.deposit}` };
        this.channels.set(id, { ...known, claimed: amount });
      }
      return { ok: true, tx: TX, feeWei: FEE_WEI };
    };
    return this.#line.call('chain.claim', claim, unreachable);
  }

  claimTicks({ config, ticks, amount }: ChainTickClaim): Promise<ChainResult<ChainTx>> {
    const claim = (): ChainResult<ChainTx> => {
      const id = channelId(this.#deployment, config);
      const known = this.channels.get(id) ?? NOT_OPEN;
      if (known.isClosed || amount <= known.claimed) return { ok: true, tx: TX, feeWei: 0n };
      const { voucher, last } = ticks;
      const ceiling = tickCeiling(voucher, last.index);
      const isOurs = voucher.channelId === id && tickVoucherSigner(this.#deployment, voucher) === config.signer;
      const isCoin = isLaterTick(anchorTick(voucher), last) && BigInt(last.index) <= voucher.ticks;
      if (!isOurs || !isCoin || amount > ceiling || amount > known.deposit)
        return { ok: false, reason: 'refused', message: `${amount} units of ${ceiling}, ${known.deposit}` };
      this.channels.set(id, { ...known, claimed: amount });
      return { ok: true, tx: TX, feeWei: FEE_WEI };
    };
    return this.#line.call('chain.claimTicks', claim, unreachable);
  }

  costs(): Promise<ChainResult<ChainCosts>> {
    return Promise.resolve(this.prices === undefined ? unreachable() : { ok: true, ...this.prices });
  }

  time(): Promise<ChainResult<{ readonly unixS: bigint }>> {
    return Promise.resolve(this.unixS === undefined ? unreachable() : { ok: true, unixS: this.unixS });
  }

  tend(): Promise<ChainResult<{ readonly isIdle: boolean }>> {
    return Promise.resolve({ ok: true, isIdle: true });
  }

  balanceOf(owner: Address): Promise<ChainResult<{ readonly units: bigint }>> {
    throw new Error(`FakeChain.balanceOf(${owner}) was called, but no test scripts an answer.`);
  }

  earned(payee: Address): Promise<ChainResult<{ readonly units: bigint; readonly feeUnits: bigint }>> {
    throw new Error(`FakeChain.earned(${payee}) was called, but no test scripts an answer.`);
  }

  transfer(to: Address, units: bigint, name: string): Promise<ChainResult<ChainTx>> {
    throw new Error(`FakeChain.transfer(${to}, ${units}, ${name}) was called, but no test scripts an answer.`);
  }

  withdraw(payee: Address, name: string): Promise<ChainResult<ChainTx>> {
    throw new Error(`FakeChain.withdraw(${payee}, ${name}) was called, but no test scripts an answer.`);
  }
}

function unreachable(): { readonly ok: false; readonly reason: 'unreachable'; readonly message: string } {
  return { ok: false, reason: 'unreachable', message: 'the node does not answer' };
}
