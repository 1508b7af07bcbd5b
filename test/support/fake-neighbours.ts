/** A neighbour table that the test fills. */
import type { DeviceName, IpAddress, Mac } from '../../agent/core/model.ts';
import type { Neighbours } from '../../agent/ports.ts';

type Neighbour = { readonly mac: Mac; readonly address: IpAddress; readonly port?: DeviceName };

export class FakeNeighbours implements Neighbours {
  rows: readonly Neighbour[];
  /** Set: reading the table fails with it. */
  failure: Error | undefined;
  reads = 0;

  constructor(rows: readonly Neighbour[] = []) {
    this.rows = rows;
  }

  macOf(address: IpAddress): Promise<Mac | undefined> {
    return this.#read(() => this.rows.find((row) => row.address === address)?.mac);
  }

  list(): Promise<readonly Neighbour[]> {
    return this.#read(() => this.rows);
  }

  portOf(mac: Mac): Promise<DeviceName | undefined> {
    return this.#read(() => this.rows.find((row) => row.mac === mac)?.port);
  }

  #read<T>(look: () => T): Promise<T> {
    this.reads += 1;
    return this.failure === undefined ? Promise.resolve(look()) : Promise.reject(this.failure);
  }
}
