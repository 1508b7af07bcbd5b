/**
 * The page for browsers without JavaScript: state, price, free trial, pass code and finish as plain forms, made anew for each
 * request. Also what a refused form is answered with.
 */
import type { GuestView } from '../agent/ports.ts';
import { sspFromUnits } from '../protocol/units.ts';
import { escapeHtml } from './html.ts';
import { canFinish, moodOf } from './page/mood.ts';
import { ENGLISH } from './page/strings.ts';
import { bytesForPurchase } from './page/wallet.ts';
import type { TermsJson } from './page/wire.ts';
import { dataText, isUnlimited, moneyText, priceText } from './page/wording.ts';
import type { Problem } from './problem.ts';

export type StatusFacts = {
  /** The owner's name for the place. */
  readonly name: string;
  readonly view: GuestView | undefined;
  readonly terms: TermsJson | undefined;
  readonly problem?: Problem;
};

/** Seconds after which the page reloads itself to show new figures. */
const REFRESH_SECONDS = 10;

export function statusPage({ name, view, terms, problem }: StatusFacts): string {
  const refresh = problem === undefined ? `<meta http-equiv="refresh" content="${REFRESH_SECONDS};url=/status">` : '';
  const parts = [
    `<header><img src="/icon.svg" alt="" width="44" height="44"><div><p class="kicker">${ENGLISH.title}</p><h1>${escapeHtml(name)}</h1></div></header>`,
    problem === undefined ? '' : `<p class="problem" role="alert">${escapeHtml(ENGLISH.problems[problem.reason])}</p>`,
    view === undefined || view.phase === 'none' ? '' : stateSection(view),
    terms === undefined ? nothingOnSale(problem) : paySection(terms, view),
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${escapeHtml(name)}</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/page.css"></head>
<body><main class="plain">${parts.join('\n')}</main></body></html>
`;
}

function stateSection(view: GuestView): string {
  const { noScript } = ENGLISH;
  const mood = moodOf(view);
  const used = view.downBytes + view.upBytes;
  const lines = [
    isUnlimited(view.bytesRemaining) || !view.isOnline ? '' : noScript.left(dataText(view.bytesRemaining)),
    used === 0n ? '' : noScript.used(dataText(used)),
    view.chargedUnits === 0n ? '' : noScript.spent(sspFromUnits(view.chargedUnits)),
    view.refund === undefined ? '' : ENGLISH.live.refund(sspFromUnits(view.refund.units)),
  ].filter((line) => line !== '');
  const finish = canFinish(mood)
    ? `<form method="post" action="/leave"><button class="quiet">${ENGLISH.live.finish}</button></form>`
    : '';
  return `<section class="card"><h2>${ENGLISH.heading[mood]}</h2><p>${lines.join(' ')}</p>${finish}</section>`;
}

function paySection(terms: TermsJson, view: GuestView | undefined): string {
  const price = { unitsPerMb: BigInt(terms.quote.unitsPerMb), unitsPerMinute: BigInt(terms.quote.unitsPerMinute) };
  const { main, extra } = priceText(price, ENGLISH);
  const options = terms.packages.map((offer, i) => {
    const data = bytesForPurchase(price, BigInt(offer.units), BigInt(terms.quote.openFee));
    const label = [offer.name, data === undefined ? '' : dataText(data), moneyText(BigInt(offer.units))];
    return `<option value="${i}">${escapeHtml(label.filter((part) => part !== '').join(', '))}</option>`;
  });
  const choice =
    options.length === 0
      ? ''
      : `<label for="package">${ENGLISH.pay.choose}</label><select id="package" name="package">${options.join('')}</select>`;
  const hasTrial = view?.phase === 'none' && terms.trialBytes !== '0';
  const trial = hasTrial
    ? `<form method="post" action="/trial"><button class="secondary">${ENGLISH.trial.button(dataText(BigInt(terms.trialBytes)))}</button></form>`
    : '';
  return `<section class="card"><p><strong>${main}</strong>${extra === undefined ? '' : `, ${extra}`}. ${ENGLISH.explain.offline}</p>
${trial}<form method="post" action="/pass"><h2>${ENGLISH.pay.heading}</h2>${choice}
<label for="code">${ENGLISH.pay.code}</label><input id="code" name="code" class="code" required maxlength="40" autocomplete="off" autocapitalize="characters" spellcheck="false">
<p class="hint">${ENGLISH.pay.codeHint}</p><button>${ENGLISH.pay.button}</button></form></section>`;
}

function nothingOnSale(problem: Problem | undefined): string {
  return problem === undefined ? `<p>${ENGLISH.problems['not-selling']}</p>` : '';
}
