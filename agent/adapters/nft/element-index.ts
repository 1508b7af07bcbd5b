/** Which elements stand in the kernel, over all sessions: no two sessions may have the same, and no set may overflow. */
import { GRANT_SETS, type GrantSet } from './layout.ts';

/** What is free while a change is being planned. */
export type Room = {
  readonly free: (id: string, set: GrantSet) => void;
  /** False if somebody has the element or the set is full. */
  readonly take: (id: string, set: GrantSet) => boolean;
};

export class ElementIndex {
  readonly #ids = new Set<string>();
  readonly #counts = new Map<GrantSet, number>();

  add(id: string, set: GrantSet): void {
    if (this.#ids.has(id)) return;
    this.#ids.add(id);
    this.#counts.set(set, (this.#counts.get(set) ?? 0) + 1);
  }

  delete(id: string, set: GrantSet): void {
    if (this.#ids.delete(id)) this.#counts.set(set, (this.#counts.get(set) ?? 0) - 1);
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  isEmpty(set: GrantSet): boolean {
    return (this.#counts.get(set) ?? 0) === 0;
  }

  /** Room for one change; the index itself stays as it is. */
  room(): Room {
    const freed = new Set<string>();
    const taken = new Set<string>();
    const changes = new Map<GrantSet, number>();
    const change = (set: GrantSet, by: number): void => {
      changes.set(set, (changes.get(set) ?? 0) + by);
    };
    return {
      free: (id, set) => {
        if (!this.#ids.has(id) || freed.has(id)) return;
        freed.add(id);
        change(set, -1);
      },
      take: (id, set) => {
        const count = (this.#counts.get(set) ?? 0) + (changes.get(set) ?? 0);
        if (taken.has(id) || (this.#ids.has(id) && !freed.has(id)) || count >= GRANT_SETS[set].capacity) return false;
        taken.add(id);
        change(set, 1);
        return true;
      },
    };
  }
}
