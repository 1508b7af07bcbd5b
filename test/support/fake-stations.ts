/** A bus on which only the test speaks. */
import type { DeviceName, Mac } from '../../agent/core/model.ts';
import type { StationEvent, StationSource } from '../../agent/ports.ts';

export class FakeStations implements StationSource {
  isClosed = false;
  #listener: ((event: StationEvent) => void) | undefined;

  start(listener: (event: StationEvent) => void): Promise<void> {
    this.#listener = listener;
    return Promise.resolve();
  }

  say(event: StationEvent): void {
    if (this.#listener === undefined) throw new Error('FakeStations.say was called before start(): nobody listens.');
    this.#listener(event);
  }

  stations(): Promise<readonly { readonly mac: Mac; readonly port: DeviceName }[]> {
    throw new Error('FakeStations.stations was called, but no test scripts an answer.');
  }

  /** What kick() answers, and whom it was asked to kick. */
  kickAnswer: 'kicked' | 'not-found' | 'no-answer' = 'kicked';
  readonly kicked: Mac[] = [];

  kick(mac: Mac): Promise<'kicked' | 'not-found' | 'no-answer'> {
    this.kicked.push(mac);
    return Promise.resolve(this.kickAnswer);
  }

  isConnected(): boolean {
    return !this.isClosed;
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}
