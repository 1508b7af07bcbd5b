/** One line of doctor's report. */

export type Finding = {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** One sentence: what to do. Absent only if nothing is wrong. */
  readonly fix?: string;
};

export function fine(name: string, detail: string): Finding {
  return { name, status: 'ok', detail };
}

/** Works, but not as it should. */
export function doubtful(name: string, detail: string, fix: string): Finding {
  return { name, status: 'warn', detail, fix };
}

/** Selling WiFi would fail or be wrong. */
export function broken(name: string, detail: string, fix: string): Finding {
  return { name, status: 'fail', detail, fix };
}
