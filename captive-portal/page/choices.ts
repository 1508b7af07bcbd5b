/** What a guest can choose from: packages for a new channel or for the running one, as radio cards, and what that sets aside. */
import { type Keys, keysFromText } from './key-ring.ts';
import type { Deal, Tariff } from './offer.ts';
import { element, setText } from './screen.ts';
import { filled } from './strings.ts';
import { type Choice, planOf } from './till.ts';
import { STRINGS, TONGUE } from './tongue.ts';
import { bytesForPurchase, type Terms } from './wallet.ts';
import type { View } from './wire.ts';
import { dataText, depositText, moneyText } from './wording.ts';

export type Choosing = {
  readonly terms: Terms | undefined;
  readonly view: View | undefined;
  readonly deal: Deal | undefined;
  /** For the channel that runs, by its own price, which is not the offer's. */
  readonly isAdding: boolean;
};

/** `isKept`: what is marked stays marked, if it is still there. */
export function showChoices({ terms, view, deal, isAdding }: Choosing, isKept: boolean): void {
  if (terms === undefined) return;
  const marked = isKept ? markedUnits() : undefined;
  const tariff = deal?.channelId === view?.channelId ? deal?.tariff : undefined;
  const cards = isAdding ? cardsToAdd(terms, leftToPromise(view), tariff) : cardsToOpen(terms);
  const options = element('options');
  options.textContent = '';
  options.append(...cards);
  element('choices').hidden = cards.length === 0;
  const inputs = [...document.querySelectorAll<HTMLInputElement>('input[name=package]')];
  const first = inputs.find((input) => input.dataset['units'] === marked) ?? inputs[0];
  if (first !== undefined) first.checked = true;
  showChosen({ terms, view, deal, isAdding });
}

/** Marks the chosen card, which older browsers cannot do in CSS, and says what it sets aside. */
export function showChosen({ terms, view, isAdding }: Choosing): void {
  for (const card of document.querySelectorAll<HTMLElement>('.option')) {
    card.classList.toggle('chosen', card.querySelector('input')?.checked === true);
  }
  const choice = chosen();
  if (terms === undefined || choice === undefined) return;
  const text = isAdding
    ? filled(STRINGS.pay.addTo, { money: moneyText(leftToPromise(view), TONGUE) })
    : depositText(planOf(terms, choice).deposits[0] ?? 0n, terms.quote.openFee, TONGUE);
  setText('deposit', text);
  element('deposit').hidden = false;
}

/** What the guest marked among what is shown, or undefined before anything is. */
export function chosen(): Choice | undefined {
  const units = markedUnits();
  if (units === undefined) return undefined;
  return { units: units === 'stream' ? undefined : BigInt(units) };
}

/** The code that the guest typed; undefined if it is none. */
export function typedKeys(mode: Keys['mode']): Keys | undefined {
  return keysFromText(element<HTMLInputElement>('code').value, mode);
}

/** The whole code that the guest typed, if the page has not taken it up: the page's own is kept elsewhere. */
export function untriedCode(own: Keys | undefined): string | undefined {
  const typed = typedKeys('hold')?.code;
  return typed === own?.code ? undefined : typed;
}

function markedUnits(): string | undefined {
  return document.querySelector<HTMLInputElement>('input[name=package]:checked')?.dataset['units'];
}

function choiceCard(value: string, units: string, main: string, price: string, detail: string): HTMLElement {
  const label = document.createElement('label');
  label.className = 'option';
  const input = document.createElement('input');
  Object.assign(input, { type: 'radio', name: 'package', value });
  input.dataset['units'] = units;
  const text = document.createElement('span');
  text.className = 'option-text';
  text.append(span('option-main', main), ...(detail === '' ? [] : [span('option-detail', detail)]));
  label.append(input, text, span('option-price', price));
  return label;
}

function span(className: string, text: string): HTMLElement {
  const made = document.createElement('span');
  made.className = className;
  // The owner's words may run the other way than the page.
  const isolated = document.createElement('bdi');
  isolated.textContent = text;
  made.append(isolated);
  return made;
}

function cardsToOpen({ quote, packages }: Terms): readonly HTMLElement[] {
  const cards = packages.map(({ name, units }, i) => {
    // Opening costs at least the fee, whatever the package says.
    const price = units > quote.openFee ? units : quote.openFee;
    return packageCard(i, units, price, bytesForPurchase(quote, units, quote.openFee), name);
  });
  return [...cards, choiceCard('stream', 'stream', STRINGS.pay.stream, '', STRINGS.pay.streamDetail)];
}

/** By the channel's own price. A package's name was made for the offer's, and is left out where they differ. */
function cardsToAdd({ quote, packages }: Terms, most: bigint, tariff: Tariff | undefined): readonly HTMLElement[] {
  const fitting = packages.filter(({ units }) => units <= most);
  const offered = fitting.length === 0 ? [{ name: '', units: most }] : fitting;
  const isOffered = tariff?.unitsPerMb === quote.unitsPerMb && tariff.unitsPerMinute === quote.unitsPerMinute;
  return offered.map(({ name, units }, i) => {
    const data = tariff === undefined ? undefined : bytesForPurchase(tariff, units, 0n);
    return packageCard(i, units, units, data, isOffered ? name : '');
  });
}

function packageCard(i: number, units: bigint, price: bigint, data: bigint | undefined, name: string): HTMLElement {
  const main = data === undefined ? name : dataText(data, TONGUE);
  return choiceCard(`${i}`, `${units}`, main, moneyText(price, TONGUE), name === main ? '' : name);
}

/** Units set aside and not promised yet. */
function leftToPromise(view: View | undefined): bigint {
  return view === undefined ? 0n : view.depositUnits - view.creditUnits;
}
