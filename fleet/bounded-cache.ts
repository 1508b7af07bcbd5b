/**
 * Values by name in bounded memory. When it is full, one that chance picks makes way: routers come round in turn, and what was
 * used longest ago is just what is needed next.
 */
export class BoundedCache<T> {
  readonly #room: number;
  readonly #values = new Map<string, { value: T; slot: number }>();
  readonly #names: string[] = [];

  constructor(room: number) {
    this.#room = room;
  }

  get size(): number {
    return this.#names.length;
  }

  get(name: string): T | undefined {
    return this.#values.get(name)?.value;
  }

  put(name: string, value: T): void {
    const known = this.#values.get(name);
    if (known !== undefined) {
      known.value = value;
      return;
    }
    if (this.#names.length === this.#room) this.delete(this.#names[Math.floor(Math.random() * this.#room)] as string);
    this.#values.set(name, { value, slot: this.#names.length });
    this.#names.push(name);
  }

  delete(name: string): void {
    const slot = this.#values.get(name)?.slot;
    if (slot === undefined) return;
    this.#values.delete(name);
    const last = this.#names.pop() as string;
    const moved = this.#values.get(last);
    if (moved === undefined) return;
    this.#names[slot] = last;
    moved.slot = slot;
  }

  clear(): void {
    this.#values.clear();
    this.#names.length = 0;
  }
}
