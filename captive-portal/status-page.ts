/**
 * The page for browsers without JavaScript: state, price, free trial, pass code and finish as plain forms, made anew for each
 * request in the guest's language. Also what a refused form is answered with.
 */
import type { AgentConfig } from '../agent/core/config.ts';
import type { GuestView } from '../agent/ports.ts';
import { escapeHtml } from './html.ts';
import type { OwnerFiles } from './owner-look.ts';
import { LANGUAGES, type Language } from './page/language.ts';
import { canAdd, canFinish, type Mood, moodOf } from './page/mood.ts';
import { adviceText, filled } from './page/strings.ts';
import { TRANSLATIONS } from './page/translations.ts';
import { bytesForPurchase } from './page/wallet.ts';
import type { TermsJson } from './page/wire.ts';
import { dataText, isUnlimited, moneyText, priceText, type Tongue } from './page/wording.ts';
import { footerHtml, logoPath, welcomeHtml } from './page-document.ts';
import type { Problem } from './problem.ts';

export type StatusFacts = {
  readonly portal: AgentConfig['portal'];
  readonly files: OwnerFiles;
  readonly language: Language;
  readonly view: GuestView | undefined;
  readonly terms: TermsJson | undefined;
  readonly problem?: Problem;
};

/** Seconds after which the page reloads itself: soon while the payment network works, else leaving time to type a code. */
const REFRESH_SECONDS: Readonly<Partial<Record<Mood, number>>> = {
  pending: 5,
  closing: 5,
  online: 60,
  low: 60,
  trial: 60,
  trialLow: 60,
};

export function statusPage({ portal, files, language, view, terms, problem }: StatusFacts): string {
  const { code, direction } = language;
  const tongue: Tongue = { strings: TRANSLATIONS[code], locale: code };
  const { strings } = tongue;
  const name = escapeHtml(portal.name);
  const seconds = problem === undefined && view !== undefined ? REFRESH_SECONDS[moodOf(view)] : undefined;
  const refresh =
    seconds === undefined ? '' : `<meta http-equiv="refresh" content="${seconds};url=/status?lang=${code}">`;
  const parts = [
    welcomeHtml(portal),
    problem === undefined
      ? ''
      : `<p class="problem" role="alert">${escapeHtml(adviceText(problem.reason, strings))}</p>`,
    view === undefined || view.phase === 'none' ? '' : stateSection(view, code, tongue),
    terms === undefined ? nothingOnSale(problem, tongue) : paySection(terms, view, code, tongue),
  ];
  return `<!doctype html>
<html lang="${code}" dir="${direction}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${name}</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/page.css"></head>
<body><header><img src="${logoPath(files)}" alt="" width="44" height="44"><div><p class="kicker">${escapeHtml(strings.title)}</p><h1><bdi>${name}</bdi></h1></div></header>
<main class="plain">${parts.join('\n')}</main>${languageLinks(language, tongue)}${footerHtml(portal, files, language)}</body></html>
`;
}

function languageLinks(current: Language, { strings }: Tongue): string {
  const links = LANGUAGES.map(({ code, name }) =>
    code === current.code
      ? `<strong>${name}</strong>`
      : `<a href="/status?lang=${code}" lang="${code}" hreflang="${code}">${name}</a>`,
  );
  return `<nav class="languages" aria-label="${escapeHtml(strings.language)}">${links.join(' ')}</nav>`;
}

function stateSection(view: GuestView, code: string, tongue: Tongue): string {
  const { noScript, live, heading } = tongue.strings;
  const mood = moodOf(view);
  const used = view.downBytes + view.upBytes;
  const money = (units: bigint) => ({ money: moneyText(units, tongue) });
  const lines = [
    isUnlimited(view.bytesRemaining) || !view.isOnline
      ? ''
      : filled(noScript.left, { data: dataText(view.bytesRemaining, tongue) }),
    used === 0n ? '' : filled(noScript.used, { data: dataText(used, tongue) }),
    view.chargedUnits === 0n ? '' : filled(noScript.spent, money(view.chargedUnits)),
    view.refund === undefined ? '' : filled(live.refund, money(view.refund.units)),
  ].filter((line) => line !== '');
  const button = (action: string, text: string) =>
    `<form method="post" action="/${action}?lang=${code}"><button class="quiet">${escapeHtml(text)}</button></form>`;
  const canPause = view.isPaused !== undefined && canAdd(mood);
  const buttons = [
    canPause ? button('pause', live.pause) : '',
    mood === 'paused' ? button('resume', live.resume) : '',
    canFinish(mood) ? button('leave', mood.startsWith('trial') ? live.finishTrial : live.finish) : '',
  ];
  return `<section class="card"><h2>${escapeHtml(heading[mood])}</h2><p>${escapeHtml(lines.join(' '))}</p>${buttons.join('')}</section>`;
}

function paySection(terms: TermsJson, view: GuestView | undefined, code: string, tongue: Tongue): string {
  const { pay, trial, explain } = tongue.strings;
  const price = { unitsPerMb: BigInt(terms.quote.unitsPerMb), unitsPerMinute: BigInt(terms.quote.unitsPerMinute) };
  const { main, extra } = priceText(price, tongue);
  const isAdding = view !== undefined && canAdd(moodOf(view));
  // Opening costs at least the fee, whatever the package says.
  const fee = isAdding ? 0n : BigInt(terms.quote.openFee);
  const options = terms.packages.map(({ name, units }, i) => {
    const data = bytesForPurchase(price, BigInt(units), fee);
    const cost = moneyText(BigInt(units) > fee ? BigInt(units) : fee, tongue);
    return packageOption(i, data === undefined ? name : dataText(data, tongue), data === undefined ? '' : name, cost);
  });
  const choice =
    options.length === 0
      ? ''
      : `<fieldset><legend>${escapeHtml(pay.choose)}</legend><div class="options">${options.join('')}</div></fieldset>`;
  const hasTrial = view?.phase === 'none' && terms.trialBytes !== '0';
  const free = filled(trial.button, { data: dataText(BigInt(terms.trialBytes), tongue) });
  const trialForm = hasTrial
    ? `<form method="post" action="/trial?lang=${code}"><button class="secondary">${escapeHtml(free)}</button></form>`
    : '';
  return `<section class="card"><p class="price">${escapeHtml(main)}</p>${extra === undefined ? '' : `<p class="hint">${escapeHtml(extra)}</p>`}<p>${escapeHtml(explain.offline)}</p>
${trialForm}<form method="post" action="/pass?lang=${code}"><h2>${escapeHtml(isAdding ? pay.addHeading : pay.heading)}</h2>${choice}
<label for="code">${escapeHtml(pay.code)}</label><input id="code" name="code" class="code" dir="ltr" required maxlength="40" autocomplete="off" autocapitalize="characters" spellcheck="false">
<p class="hint">${escapeHtml(pay.codeHint)}</p><button>${escapeHtml(isAdding ? pay.add : pay.button)}</button></form></section>`;
}

/** A card as the page with JavaScript has it: the price is never cut, however long the owner's name for the package. */
function packageOption(index: number, main: string, detail: string, cost: string): string {
  const more = detail === '' ? '' : `<span class="option-detail"><bdi>${escapeHtml(detail)}</bdi></span>`;
  const chosen = index === 0 ? ' checked' : '';
  return `<label class="option"><input type="radio" name="package" value="${index}"${chosen}><span class="option-text"><span class="option-main"><bdi>${escapeHtml(main)}</bdi></span>${more}</span><span class="option-price">${escapeHtml(cost)}</span></label>`;
}

function nothingOnSale(problem: Problem | undefined, { strings }: Tongue): string {
  return problem === undefined ? `<p>${escapeHtml(strings.advice.notSelling)}</p>` : '';
}
