/** Puts the agent's object on ubus and keeps it there: a name that is still taken, or an ACL that is not loaded yet, is tried again. */
import { type BlobmsgInputTable, BlobmsgType } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';
import type { Method, Methods, Publication } from '../../../openwrt/node-openwrt-ubus/src/publication.ts';
import { UbusError, UbusStatus } from '../../../openwrt/node-openwrt-ubus/src/status.ts';
import type { BusArgument, BusMethod, BusMethods, BusObject, BusRefusal, BusTable } from '../../bus-port.ts';

export type UbusObjectOptions = {
  readonly client: UbusClient;
  readonly path: string;
  readonly retryMs?: number;
  /** Told why a call was refused, and why the object is not on the bus. */
  readonly onProblem: (error: Error) => void;
};

const ARGUMENT_TYPES = {
  int32: BlobmsgType.INT32,
  string: BlobmsgType.STRING,
  // There is no type for "any integer" on the wire; UNSPEC takes everything and the method looks.
  integer: BlobmsgType.UNSPEC,
} as const satisfies Record<BusArgument, number>;

const STATUS_OF_REFUSAL = {
  'invalid-argument': UbusStatus.INVALID_ARGUMENT,
  'not-found': UbusStatus.NOT_FOUND,
  'permission-denied': UbusStatus.PERMISSION_DENIED,
  'timed-out': UbusStatus.TIMEOUT,
  'not-supported': UbusStatus.NOT_SUPPORTED,
} as const satisfies Record<BusRefusal, number>;

export class UbusObject implements BusObject {
  readonly #options: UbusObjectOptions;
  #publication: Publication | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: UbusObjectOptions) {
    this.#options = options;
  }

  async publish(methods: BusMethods): Promise<void> {
    const { client, path, onProblem, retryMs } = this.#options;
    try {
      const table: Methods = Object.fromEntries(
        Object.entries(methods).map(([name, method]) => [name, this.#ubusMethod(name, method)]),
      );
      this.#publication = await client.publish(path, table);
      if (this.#isClosed) await this.#publication.close();
    } catch (error) {
      if (this.#isClosed) return;
      onProblem(error as Error);
      this.#retry = setTimeout(() => void this.publish(methods), retryMs ?? 10_000).unref();
    }
  }

  isHeard(): boolean {
    return this.#publication?.hasSubscribers === true;
  }

  notify(type: string, data: BusTable): void {
    this.#publication?.notify(type, data as BlobmsgInputTable);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    await this.#publication?.close();
  }

  #ubusMethod(name: string, method: BusMethod): Method {
    const args = Object.fromEntries(Object.entries(method.args).map(([arg, type]) => [arg, ARGUMENT_TYPES[type]]));
    return {
      args,
      handler: async (given) => {
        const answer = await method.answer(given);
        if (answer.ok) return answer.reply as BlobmsgInputTable;
        this.#options.onProblem(new Error(`${this.#options.path} ${name}: ${answer.message}`));
        throw new UbusError(STATUS_OF_REFUSAL[answer.reason], answer.message);
      },
    };
  }
}
