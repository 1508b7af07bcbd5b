/**
 * The owner's colours, logo and terms. Colours were checked for contrast when the configuration was read. Files that cannot be
 * used are left out and named in the log, because a page without them still sells.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentConfig } from '../agent/core/config.ts';
import { type LanguageCode, languageOfTag } from './page/language.ts';

type Portal = AgentConfig['portal'];
export type Logo = { readonly type: string; readonly bytes: Buffer };
export type OwnerFiles = {
  readonly logo?: Logo;
  /** By language; '' for every other one. */
  readonly terms: ReadonlyMap<LanguageCode | '', string>;
  /** What could not be used, and why. */
  readonly problems: readonly string[];
};

/** A phone loads it over the slowest of links; a good logo has a few kB. */
const MAX_LOGO_BYTES = 65_536;
/** Terms travel inside the page, compressed. */
const MAX_TERMS_BYTES = 8_192;
const LOGO_NAME = /^logo\.(svg|png|jpe?g|webp)$/;
const TERMS_NAME = /^terms(?:\.([a-z]{2,3}))?\.txt$/;
const LOGO_TYPES: Readonly<Record<string, string>> = {
  svg: 'image/svg+xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
};

/** Rules that go after the page's own style sheet; '' without colours of the owner's. */
export function lookStyle({ colour, colourDark }: Pick<Portal, 'colour' | 'colourDark'>): string {
  const light = colour === undefined ? '' : rule('light', colour, '#ffffff', '#ffffff');
  return light + (colourDark === undefined ? '' : rule('dark', colourDark, '#18211f', '#0b1110'));
}

/** The logo and terms in portal.folder; a folder that is not there has none. */
export function readOwnerFiles({ folder }: Pick<Portal, 'folder'>): OwnerFiles {
  const terms = new Map<LanguageCode | '', string>();
  const problems: string[] = [];
  let logo: Logo | undefined;
  for (const name of folder === undefined ? [] : namesIn(folder)) {
    const extension = LOGO_NAME.exec(name)?.[1];
    const termsFor = TERMS_NAME.exec(name);
    const language = termsFor?.[1] === undefined ? '' : languageOfTag(termsFor[1])?.code;
    if (extension === undefined && termsFor === null) continue;
    if (language === undefined) {
      problems.push(`${name}: the page has no such language`);
      continue;
    }
    const reading = read(join(folder ?? '', name), extension === undefined ? MAX_TERMS_BYTES : MAX_LOGO_BYTES);
    if (typeof reading === 'string') problems.push(`${name}: ${reading}`);
    else if (extension !== undefined) logo = { type: LOGO_TYPES[extension] as string, bytes: reading };
    else terms.set(language, reading.toString('utf8').trim());
  }
  return { ...(logo !== undefined && { logo }), terms, problems };
}

/** Terms for a guest who reads this language. */
export function termsFor({ terms }: OwnerFiles, language: LanguageCode): string | undefined {
  return terms.get(language) ?? terms.get('');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    // Most owners have no such folder.
    return [];
  }
}

/** The bytes, or why they cannot be used. */
function read(path: string, mostBytes: number): Buffer | string {
  try {
    const { size } = statSync(path);
    return size > mostBytes ? `must have at most ${mostBytes} bytes, has ${size}` : readFileSync(path);
  } catch (error) {
    return (error as Error).message;
  }
}

function rule(scheme: 'light' | 'dark', accent: string, card: string, onAccent: string): string {
  const soft = mixed(accent, card, 0.14);
  return `@media (prefers-color-scheme:${scheme}){:root{--accent:${accent};--accent-soft:${soft};--accent-text:${onAccent}}}`;
}

/** `share` of one colour, the rest of the other, channel by channel. */
function mixed(a: string, b: string, share: number): string {
  const channels = [1, 3, 5].map((at) => {
    const channel = (colour: string) => Number.parseInt(colour.slice(at, at + 2), 16);
    return Math.round(channel(a) * share + channel(b) * (1 - share))
      .toString(16)
      .padStart(2, '0');
  });
  return `#${channels.join('')}`;
}
