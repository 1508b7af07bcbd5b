/** A model of ShareChannels: what was deposited, claimed and closed, and that nothing is ever claimed twice. */
import type { Chain, ChainChannel, ChainResult } from '../../agent/ports.ts';
import type { Address } from '../../protocol/address.ts';
import { type ChannelConfig, type ChannelsDeployment, channelId } from '../../protocol/channel.ts';
import type { SignedAuthorization } from '../../protocol/funding.ts';
import type { Hex } from '../../protocol/hex.ts';
import { type SignedVoucher, voucherSigner } from '../../protocol/voucher.ts';
import type { FaultLine } from './fault-line.ts';

const TX: Hex = `0x${'7e'.repeat(32)}`;
const NOT_OPEN: ChainChannel = { deposit: 0n, claimed: 0n, exitAt: 0n, isClosed: false };

export class FakeChain implements Chain {
  readonly channels = new Map<Hex, ChainChannel>();
  /** Each payout, in order. */
  readonly claims: { readonly id: Hex; readonly units: bigint }[] = [];
  /** Set: the token contract refuses the deposit. */
  refusal: string | undefined;
  /** Set: called when a close arrives, before anything else. */
  onClose: ((id: Hex, units: bigint) => void) | undefined;
  readonly #line: FaultLine;
  readonly #deployment: ChannelsDeployment;

  constructor(line: FaultLine, deployment: ChannelsDeployment) {
    this.#line = line;
    this.#deployment = deployment;
  }

  /** Like the real one, it cannot tell an authorisation that was used for less from the one that it is given. */
  relayOpen(config: ChannelConfig, authorization: SignedAuthorization): Promise<ChainResult<{ readonly tx: Hex }>> {
    const open = (): ChainResult<{ readonly tx: Hex }> => {
      const id = channelId(this.#deployment, config);
      const known = this.channels.get(id);
      if (known !== undefined && !known.isClosed) return { ok: true, tx: TX };
      if (this.refusal !== undefined) return { ok: false, reason: 'refused', message: this.refusal };
      this.channels.set(id, { ...NOT_OPEN, deposit: authorization.value });
      return { ok: true, tx: TX };
    };
    return this.#line.call('chain.relayOpen', open, unreachable);
  }

  channel(id: Hex): Promise<ChainResult<{ readonly channel: ChainChannel }>> {
    const read = (): ChainResult<{ readonly channel: ChainChannel }> => ({
      ok: true,
      channel: this.channels.get(id) ?? NOT_OPEN,
    });
    return this.#line.call('chain.channel', read, unreachable);
  }

  close(config: ChannelConfig, voucher: SignedVoucher, units: bigint): Promise<ChainResult<{ readonly tx: Hex }>> {
    const close = (): ChainResult<{ readonly tx: Hex }> => {
      const id = channelId(this.#deployment, config);
      this.onClose?.(id, units);
      const known = this.channels.get(id) ?? NOT_OPEN;
      if (known.isClosed) return { ok: true, tx: TX };
      const isCovered = units <= voucher.amount && voucher.amount <= known.deposit && voucher.channelId === id;
      if (!isCovered || voucherSigner(this.#deployment, voucher) !== config.signer)
        return { ok: false, reason: 'refused', message: `${units} units of ${voucher.amount}, ${known.deposit}` };
      this.claims.push({ id, units });
      this.channels.set(id, { ...known, claimed: units, isClosed: true });
      return { ok: true, tx: TX };
    };
    return this.#line.call('chain.close', close, unreachable);
  }

  balanceOf(owner: Address): Promise<ChainResult<{ readonly units: bigint }>> {
    throw new Error(`FakeChain.balanceOf(${owner}) was called, but no test scripts an answer.`);
  }
}

function unreachable(): { readonly ok: false; readonly reason: 'unreachable'; readonly message: string } {
  return { ok: false, reason: 'unreachable', message: 'the node does not answer' };
}
