/** A guest that pays as it goes: follows the live view and signs the next voucher whenever the page's rule says so. */
import { streamStep } from '../../captive-portal/page/wallet.ts';
import type { View } from '../../captive-portal/page/wire.ts';
import type { PortalClient } from './portal-client.ts';

export type StreamFigures = {
  readonly vouchers: number;
  /** Largest credit ahead of the charge at any moment: what the guest had at risk. */
  readonly mostAheadUnits: bigint;
  readonly views: number;
};

export class VoucherStream {
  readonly #portal: PortalClient;
  #vouchers = 0;
  #mostAhead = 0n;
  #views = 0;
  #isBusy = false;
  #lastCharged = 0n;
  #lastMs = performance.now();
  #unitsPerSecond = 0n;
  #failure: unknown;
  #stop: () => Promise<void> = () => Promise.resolve();

  constructor(portal: PortalClient) {
    this.#portal = portal;
  }

  async start(unitsPerMb: bigint): Promise<void> {
    this.#stop = await this.#portal.follow('stream', (view) => {
      if (view !== undefined) void this.#see(view, unitsPerMb);
    });
  }

  /** @throws whatever the portal refused meanwhile */
  async close(): Promise<StreamFigures> {
    await this.#stop();
    if (this.#failure !== undefined) throw this.#failure;
    return { vouchers: this.#vouchers, mostAheadUnits: this.#mostAhead, views: this.#views };
  }

  async #see(view: View, unitsPerMb: bigint): Promise<void> {
    this.#views += 1;
    const ahead = view.creditUnits - view.chargedUnits;
    if (ahead > this.#mostAhead) this.#mostAhead = ahead;
    this.#updateSpeed(view);
    // One voucher at a time; the next view tells whether another is wanted.
    if (this.#isBusy) return;
    const { chargedUnits, creditUnits, bytesRemaining } = view;
    const seen = { chargedUnits, creditUnits, bytesRemaining, chargedPerSecond: this.#unitsPerSecond };
    const addUnits = streamStep({ unitsPerMb, unitsPerMinute: 0n }, seen);
    if (addUnits === 0n || creditUnits >= view.depositUnits) return;
    this.#isBusy = true;
    try {
      await this.#portal.addUnits(addUnits, view);
      this.#vouchers += 1;
    } catch (error) {
      this.#failure ??= error;
    } finally {
      this.#isBusy = false;
    }
  }

  #updateSpeed(view: View): void {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#lastMs;
    if (elapsedMs < 500) return;
    const grown = view.chargedUnits - this.#lastCharged;
    this.#unitsPerSecond = (grown * 1_000n) / BigInt(Math.round(elapsedMs));
    this.#lastCharged = view.chargedUnits;
    this.#lastMs = nowMs;
  }
}
