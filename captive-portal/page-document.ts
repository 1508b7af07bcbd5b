/** The guest's page as one HTML document per language: its texts, and the owner's own words, filled into page.html. */
import type { AgentConfig } from '../agent/core/config.ts';
import { escapeHtml } from './html.ts';
import { type OwnerFiles, termsFor } from './owner-look.ts';
import { LANGUAGES, type Language } from './page/language.ts';
import { TRANSLATIONS } from './page/translations.ts';

export type PageFacts = {
  /** page.html as built. */
  readonly template: string;
  readonly portal: AgentConfig['portal'];
  readonly files: OwnerFiles;
};

export function pageDocument({ template, portal, files }: PageFacts, language: Language): string {
  const strings = TRANSLATIONS[language.code];
  const values: Readonly<Record<string, string>> = {
    lang: language.code,
    dir: language.direction,
    name: escapeHtml(portal.name),
    logo: logoPath(files),
    // "<" is written as an escape, so that no text can end the element it stands in.
    texts: JSON.stringify(strings).replaceAll('<', '\\u003c'),
    languages: LANGUAGES.map(({ code, name }) => {
      const selected = code === language.code ? ' selected' : '';
      return `<option value="${code}" lang="${code}"${selected}>${name}</option>`;
    }).join(''),
    welcome: welcomeHtml(portal),
    footer: footerHtml(portal, files, language),
  };
  return template.replace(/\{\{(t:)?([a-zA-Z.]+)\}\}/g, (whole, isText: string | undefined, key: string) => {
    const value = isText === undefined ? values[key] : textAt(strings, key);
    if (value === undefined) throw new Error(`page.html asks for ${whole}, which nothing fills in.`);
    return isText === undefined ? value : escapeHtml(value);
  });
}

/** The owner's greeting; nothing if there is none. */
export function welcomeHtml({ welcome }: AgentConfig['portal']): string {
  return welcome === undefined ? '' : `<p class="welcome" dir="auto">${escapeHtml(welcome)}</p>`;
}

/** Path of the picture beside the owner's name. */
export function logoPath({ logo }: OwnerFiles): string {
  return logo === undefined ? '/icon.svg' : '/logo';
}

/** The owner's terms and link, below everything else. */
export function footerHtml({ venueUrl }: AgentConfig['portal'], files: OwnerFiles, { code }: Language): string {
  const { owner } = TRANSLATIONS[code];
  const terms = termsFor(files, code);
  const parts = [
    terms === undefined
      ? ''
      : `<details><summary>${escapeHtml(owner.terms)}</summary><p class="terms" dir="auto">${escapeHtml(terms)}</p></details>`,
    venueUrl === undefined
      ? ''
      : `<p><a href="${escapeHtml(venueUrl)}" rel="noopener noreferrer">${escapeHtml(owner.venue)}</a></p>`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? '' : `<footer>${parts.join('')}</footer>`;
}

/** Text at a path such as "heading.offline". */
function textAt(strings: object, path: string): string | undefined {
  const found = path
    .split('.')
    .reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], strings);
  return typeof found === 'string' ? found : undefined;
}
