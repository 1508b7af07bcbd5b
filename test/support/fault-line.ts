/**
 * Counts the calls of a scene's edges and lets one of them go wrong: refused before it has an effect, done but not
 * answered, or the last one that the process lived to make.
 */
export type Fault = 'refused' | 'answer-lost' | 'crash';

export class FaultLine {
  readonly calls: string[] = [];
  #at = Number.POSITIVE_INFINITY;
  #fault: Fault = 'refused';
  #only: ((call: string) => boolean) | undefined;
  #counted = 0;
  #isDead = false;
  #underWay = 0;

  /** The k-th call from now (1 is the next), of those that `only` takes. */
  failAt(k: number, fault: Fault, only?: (call: string) => boolean): void {
    this.#at = k;
    this.#fault = fault;
    this.#only = only;
    this.#counted = 0;
    this.#isDead = false;
  }

  /** Calls counted since failAt. */
  get counted(): number {
    return this.#counted;
  }

  /** Calls that are not answered yet; meaningless once dead. */
  get underWay(): number {
    return this.#underWay;
  }

  /** From now on nothing is ever answered, and nothing done. */
  die(): void {
    this.#isDead = true;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Does `effect` as the script says; `onFault` says how this edge reports a fault. After a crash nothing is ever answered. */
  async call<T>(name: string, effect: () => T, onFault: (fault: Fault) => T): Promise<T> {
    if (this.#isDead) return forever();
    this.calls.push(name);
    const isCounted = this.#only?.(name) ?? true;
    if (isCounted) this.#counted += 1;
    if (!isCounted || this.#counted !== this.#at) {
      const work = Promise.resolve().then(effect);
      const over = (): void => {
        this.#underWay -= 1;
      };
      this.#underWay += 1;
      work.then(over, over);
      return work;
    }
    if (this.#fault === 'refused') return Promise.resolve().then(() => onFault('refused'));
    await Promise.resolve().then(effect);
    if (this.#fault === 'answer-lost') return onFault('answer-lost');
    this.#isDead = true;
    return forever();
  }
}

function forever<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
