/**
 * The guest's page as built by tools/build-page.ts. The only module that knows where the built files are: a bundled binary
 * replaces it by one with the files' text inside.
 */
import { readFileSync } from 'node:fs';

export type PageAssets = {
  /** The template: page-document.ts fills in texts and the owner's own words. */
  readonly html: string;
  readonly script: string;
  readonly style: string;
  readonly icon: string;
};

/** @throws Error naming the command that builds the page, if it was not built. */
export function loadPageAssets(): PageAssets {
  try {
    return { html: read('page.html'), script: read('page.js'), style: read('page.css'), icon: read('icon.svg') };
  } catch (cause) {
    throw new Error('The guest page is not built. Run "npm run page" (make does).', { cause });
  }
}

function read(name: string): string {
  return readFileSync(new URL(`page/dist/${name}`, import.meta.url), 'utf8');
}
