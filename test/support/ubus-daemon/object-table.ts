/** Objects of the stand-in daemon: ids, paths, types, owners, subscriptions. */
import { type BusClient, ROOT } from './bus-client.ts';

/** Objects of the daemon itself (ubusmsg.h); ids below FIRST_CLIENT_ID are never given to others. */
export const SystemObject = { EVENT: 1, ACL: 2, MONITOR: 3 } as const;
export const FIRST_CLIENT_ID = 1_024;

/** Owns the system objects; is told nothing. */
export const DAEMON: BusClient = {
  id: 0,
  credentials: ROOT,
  write: () => undefined,
  forward: () => undefined,
  send: () => undefined,
};

export type ObjectType = {
  readonly id: number;
  readonly signature: Buffer;
  /** Objects of this type; with the last one it goes. */
  uses: number;
};

export type BusObject = {
  readonly id: number;
  readonly owner: BusClient;
  /** Absent: anonymous. */
  readonly path?: string;
  readonly type?: ObjectType;
  /** Newest first; an object that subscribed twice stands here twice. */
  readonly subscribers: Subscription[];
  /** Where it subscribed, newest first. */
  readonly targets: Subscription[];
  /** Messages that the daemon itself sent to this object. */
  seq: number;
};

export type Subscription = { readonly subscriber: BusObject; readonly target: BusObject };

export class ObjectTable {
  readonly #nextId: () => number;
  readonly #objects = new Map<number, BusObject>();
  readonly #types = new Map<number, ObjectType>();

  constructor(nextId: () => number) {
    this.#nextId = nextId;
    for (const id of Object.values(SystemObject))
      this.#objects.set(id, { id, owner: DAEMON, subscribers: [], targets: [], seq: 0 });
  }

  byId(id: number): BusObject | undefined {
    return this.#objects.get(id);
  }

  /** Newest first, as the real daemon goes through them. */
  ownedBy(client: BusClient): readonly BusObject[] {
    return [...this.#objects.values()].filter(({ owner }) => owner === client).reverse();
  }

  /** Objects with this path, or prefix if it ends in "*", sorted by path. */
  matching(pattern: string): readonly BusObject[] {
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
    return [...this.#objects.values()]
      .filter(({ path }) => path !== undefined && (prefix === undefined ? path === pattern : path.startsWith(prefix)))
      .sort((a, b) => Buffer.compare(Buffer.from(a.path as string), Buffer.from(b.path as string)));
  }

  /** Undefined if the path is taken. An unknown type is none. */
  add(owner: BusClient, path?: string, signature?: Buffer, typeId?: number): BusObject | undefined {
    if (path !== undefined && this.matching(path).some((object) => object.path === path)) return undefined;
    const id = this.#nextId();
    const type = typeId === undefined ? this.#newType(signature) : this.#types.get(typeId);
    if (type !== undefined) type.uses += 1;
    const object: BusObject = {
      id,
      owner,
      ...(path === undefined ? {} : { path }),
      ...(type === undefined ? {} : { type }),
      subscribers: [],
      targets: [],
      seq: 0,
    };
    this.#objects.set(id, object);
    return object;
  }

  remove(object: BusObject): void {
    this.#objects.delete(object.id);
    if (object.type === undefined) return;
    object.type.uses -= 1;
    if (object.type.uses === 0) this.#types.delete(object.type.id);
  }

  #newType(signature: Buffer | undefined): ObjectType | undefined {
    if (signature === undefined) return undefined;
    // It is kept, so it must not stay a view into the receive buffer.
    const type = { id: this.#nextId(), signature: Buffer.from(signature), uses: 0 };
    this.#types.set(type.id, type);
    return type;
  }
}
