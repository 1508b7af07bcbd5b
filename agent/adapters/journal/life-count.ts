/**
 * Tells an old copy of the journal, put back in its place, from the journal. The file's lives are numbered: it gets the next
 * number when it is opened and, if it was written to, when it is closed; the number stands in the file and in a mark beside it.
 * A file whose number is below the mark's has forgotten something: it was restored, or made anew after it was lost.
 *
 * The file's number is on disk before the mark's, so a crash leaves the mark behind, never ahead. A copy that is put back
 * together with its mark, or into the life that it was made in, is not found here: chain, collector, sisters and guests tell then.
 */
import type { Database } from 'better-sqlite3';
import { highWater, raiseHighWater } from '../high-water.ts';

/** What a journal that has forgotten something says of itself, and what the mark says. */
export type OldCopy = { readonly life: number; readonly marked: number };

const LIFE_FACT = 'life';
/** Kept until a proof is stored: whoever signs proofs must know, also after another start. */
const OLD_COPY_FACT = 'old-copy';

export class LifeCount {
  readonly #database: Database;
  readonly #path: string;
  #life = 0;
  #oldCopy: OldCopy | undefined;

  /** Begins the next life of the file at `path`. A disk that is full or read-only is no reason not to. */
  constructor(database: Database, path: string) {
    this.#database = database;
    this.#path = path;
    const life = Number(this.#fact(LIFE_FACT) ?? 0);
    const marked = highWater(path);
    if (marked !== undefined && life < marked) this.#oldCopy = { life, marked };
    this.#next(Math.max(life, marked ?? 0) + 1);
  }

  /** The file was an old copy when it was opened this time. */
  get oldCopy(): OldCopy | undefined {
    return this.#oldCopy;
  }

  /** It was one, now or at an earlier start, and no proof was stored since. */
  get isUnproven(): boolean {
    return this.#oldCopy !== undefined || this.#fact(OLD_COPY_FACT) !== undefined;
  }

  /** What the collector knows is known here as well from now on. */
  proven(): void {
    if (!this.isUnproven) return;
    this.#oldCopy = undefined;
    this.#database.prepare('DELETE FROM facts WHERE name = ?').run(OLD_COPY_FACT);
  }

  /** The file was written to and is about to be closed. */
  end(): void {
    this.#next(this.#life + 1);
  }

  #next(life: number): void {
    this.#life = life;
    try {
      this.#database.transaction(() => {
        const set = this.#database.prepare('INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)');
        set.run(LIFE_FACT, `${life}`);
        if (this.#oldCopy === undefined) return;
        set.run(OLD_COPY_FACT, `${this.#oldCopy.life} ${this.#oldCopy.marked}`);
        this.#database.exec("UPDATE channels SET stale = 1 WHERE phase NOT IN ('settled', 'failed')");
      })();
      raiseHighWater(this.#path, life);
    } catch {
      // Not counted: a copy made now is not told from this file, and one that was found is found again at the next start.
    }
  }

  #fact(name: string): string | undefined {
    return this.#database.prepare('SELECT value FROM facts WHERE name = ?').pluck().get(name) as string | undefined;
  }
}
