/** What opens below the main card: the ticket, the request for another wallet, the receipt. Elements only; decides nothing. */
import { formatPassCode } from '../../protocol/pass-code.ts';
import { addressFromSecretKey } from '../../protocol/signature.ts';
import { offerFaucet } from './faucet.ts';
import type { Keys } from './key-ring.ts';
import { showQr } from './qr-image.ts';
import { getReceipt } from './router-client.ts';
import { element } from './screen.ts';
import { filled } from './strings.ts';
import { STRINGS, TONGUE } from './tongue.ts';
import { paymentUri, type Terms, ticketUrl } from './wallet.ts';
import { moneyText } from './wording.ts';

/** The ticket of these keys, folded away until the guest asks for it; undefined takes it away. */
export function showTicket(keys: Keys | undefined): void {
  const panel = element<HTMLDetailsElement>('ticket');
  panel.hidden = keys === undefined;
  if (keys === undefined) return;
  element('ticket-code').textContent = formatPassCode(keys.code);
  if (panel.open) showQr(element('ticket-qr'), ticketUrl(location.origin, keys.code), STRINGS.ticket.qr);
}

/** Asks for `units` from another wallet, sent to the ticket. */
export function showWallet(keys: Keys, terms: Terms, units: bigint): void {
  const address = addressFromSecretKey(keys.secretKey);
  element('wallet').hidden = false;
  offerFaucet(terms, address);
  element('wallet-ticket').textContent = formatPassCode(keys.code);
  element('wallet-send').textContent = filled(STRINGS.wallet.send, {
    money: moneyText(units, TONGUE),
    chain: terms.deployment.chainId.toString(),
  });
  element('wallet-address').textContent = address;
  showQr(element('wallet-qr'), paymentUri(terms, address, units), STRINGS.wallet.qr);
}

export function hideWallet(): void {
  element('wallet').hidden = true;
}

/** Fetches the signed receipt once it is unfolded; it grows with the session, so each time anew. */
export async function showReceipt(): Promise<void> {
  if (!element<HTMLDetailsElement>('receipt').open) return;
  const answer = await getReceipt();
  const holder = element('receipt-qr');
  holder.hidden = !answer.ok;
  if (answer.ok) showQr(holder, JSON.stringify(answer.value), STRINGS.receipt.qr);
}
