/** Which test file runs when: a few side by side, the long ones first. */

/** `files` with those of `long` first, in that order, and then the others by name. */
export function longestFirst(files: readonly string[], long: readonly string[]): readonly string[] {
  const rank = new Map(long.map((name, i) => [name, i]));
  const rankOf = (name: string): number => rank.get(name) ?? long.length;
  return [...files].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
}

/** Runs `job` for each of `files`, at most `count` at a time, in their order. */
export async function inLanes(
  count: number,
  files: readonly string[],
  job: (file: string) => Promise<void>,
): Promise<void> {
  const waiting = [...files];
  const runLane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) await job(file);
  };
  await Promise.all(Array.from({ length: count }, runLane));
}
