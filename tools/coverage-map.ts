/**
 * Which sources a test covers, for tap: protocol/ and agent/core/ by their own tests, nothing else. Money and metering are
 * decided there, so they stay at 100 % (test/run.ts enforces it); a driver or a driven browser in the test of another room
 * must not count as having tested them.
 */
import { globSync } from 'node:fs';

export const GATED_ROOMS: readonly string[] = ['protocol', 'agent/core'];

function sourcesCoveredBy(test: string): string[] | null {
  const room = GATED_ROOMS.find((name) => test.startsWith(`test/${name}/`));
  return room === undefined ? null : globSync(`${room}/**/*.ts`);
}

// biome-ignore lint/style/noDefaultExport: tap takes the map from the default export
export default sourcesCoveredBy;
