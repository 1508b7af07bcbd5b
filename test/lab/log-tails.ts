/** The ends of all logs of a run, for a story that broke off. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Lab } from './lab.ts';

const SHOWN_LINES = 25;

export function logTails(lab: Lab): string {
  return readdirSync(lab.directory)
    .filter((name) => name.endsWith('.log'))
    .map((name) => ({ name, lines: readFileSync(lab.path(name), 'utf8').trimEnd().split('\n') }))
    .filter(({ lines }) => lines.join('') !== '')
    .map(({ name, lines }) => `--- ${name}\n${lines.slice(-SHOWN_LINES).join('\n')}`)
    .join('\n');
}
