/** The page's own navigations, which take the pass code along also where there is no storage. */
import { carryKeys } from './key-ring.ts';

/** A sign-in sheet looks again whether it is online only after this. */
export function loadAnew(): void {
  const asked = /[?&](lang=[a-z]+)/.exec(location.search)?.[1];
  carryKeys();
  location.replace(asked === undefined ? '/?online' : `/?${asked}&online`);
}

export function changeLanguage(code: string): void {
  carryKeys();
  location.assign(`/?lang=${code}`);
}
