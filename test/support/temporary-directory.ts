import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Removed with the test. Short, unlike t.testdir() below a checkout: a socket path has at most 107 bytes. */
export function temporaryDirectory(test: { teardown(fn: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'shareagent-'));
  test.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
