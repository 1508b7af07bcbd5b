/** Objects of the stand-in daemon: ids, paths, types, owners, subscribers. */
import type { BusClient } from './bus-client.ts';

export type BusObject = {
  readonly id: number;
  readonly owner: BusClient;
  /** Absent: anonymous. */
  readonly path?: string;
  readonly typeId?: number;
  readonly signature?: Buffer;
  /** One entry for each SUBSCRIBE: an object that subscribed twice is told twice. */
  subscribers: BusObject[];
  /** Messages that the daemon itself sent to this object. */
  seq: number;
};

export class ObjectTable {
  readonly #nextId: () => number;
  readonly #objects = new Map<number, BusObject>();
  readonly #types = new Map<number, Buffer>();

  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  all(): readonly BusObject[] {
    return [...this.#objects.values()];
  }

  byId(id: number): BusObject | undefined {
    return this.#objects.get(id);
  }

  ownedBy(client: BusClient): readonly BusObject[] {
    return this.all().filter(({ owner }) => owner === client);
  }

  /** Objects with this path, or prefix if it ends in "*", sorted by path. */
  matching(pattern: string): readonly BusObject[] {
    const prefix = pattern.endsWith('*') ? pattern.slice(0, -1) : undefined;
    return this.all()
      .filter(({ path }) => path !== undefined && (prefix === undefined ? path === pattern : path.startsWith(prefix)))
      .sort((a, b) => Buffer.compare(Buffer.from(a.path as string), Buffer.from(b.path as string)));
  }

  /** Undefined if the path is taken or the type unknown. */
  add(owner: BusClient, path?: string, signature?: Buffer, typeId?: number): BusObject | undefined {
    if (path !== undefined && this.all().some((object) => object.path === path)) return undefined;
    if (typeId !== undefined && !this.#types.has(typeId)) return undefined;
    const draft = { owner, subscribers: [], seq: 0, ...(path === undefined ? {} : { path }) };
    // The signature is kept, so it must not stay a view into the receive buffer.
    const kept = typeId === undefined ? signature && Buffer.from(signature) : this.#types.get(typeId);
    if (kept === undefined) return this.#insert({ id: this.#nextId(), ...draft });
    const id = this.#nextId();
    const type = typeId ?? this.#nextId();
    this.#types.set(type, kept);
    return this.#insert({ id, ...draft, typeId: type, signature: kept });
  }

  remove(object: BusObject): void {
    this.#objects.delete(object.id);
  }

  nextSeqOf(object: BusObject): number {
    object.seq = (object.seq + 1) & 0xffff;
    return object.seq;
  }

  #insert(object: BusObject): BusObject {
    this.#objects.set(object.id, object);
    return object;
  }
}
