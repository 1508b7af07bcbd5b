/** Looks again and again whether the money for a ticket has arrived, once the guest has said that it is sent. */
import { postBalance } from './router-client.ts';
import { challengeJsonFromKey } from './wallet.ts';

const LOOK_MS = 5_000;
/** A quarter of an hour; then the guest may press the button again. */
const MAX_LOOKS = 180;

export class ArrivalWatch {
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Calls `onArrived` once when the key's address holds `units`. What was watched before is forgotten. */
  start(secretKey: Uint8Array, units: bigint, onArrived: () => void): void {
    this.stop();
    let looks = 0;
    const body = challengeJsonFromKey(secretKey);
    const timer = setInterval(async () => {
      looks += 1;
      if (looks > MAX_LOOKS) return this.stop();
      const held = await postBalance(body);
      if (this.#timer !== timer || held === undefined || held < units) return;
      this.stop();
      onArrived();
    }, LOOK_MS);
    this.#timer = timer;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
