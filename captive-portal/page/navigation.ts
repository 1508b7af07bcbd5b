/** The page's own navigations, which take the pass code along also where there is no storage. */
import { carryKeys } from './key-ring.ts';

/** A sign-in sheet looks again whether it is online only after this. */
export function loadAnew(): void {
  const asked = /[?&](lang=[a-z]+)/.exec(location.search)?.[1];
  carryKeys();
  location.replace(asked === undefined ? '/?online' : `/?${asked}&online`);
}

/** `typed`: a whole pass code that was typed and not used yet. It goes along where a ticket's link has it, which no server sees. */
export function changeLanguage(language: string, typed: string | undefined): void {
  carryKeys();
  location.assign(`/?lang=${language}${typed === undefined ? '' : `#t=${typed}`}`);
}
