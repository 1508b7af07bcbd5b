/** Test SSP for the ticket of this page, where the router gives some: on a development chain, for who tries it. */
import type { Address } from '../../protocol/address.ts';
import { postFaucet } from './router-client.ts';
import { element } from './screen.ts';
import type { Terms } from './wallet.ts';

/** Shows the button beside the request for money; once it has worked it goes: the money is on its way. */
export function offerFaucet({ faucetUnits }: Terms, address: Address): void {
  const button = element<HTMLButtonElement>('wallet-faucet');
  button.hidden = faucetUnits === undefined;
  button.onclick = async () => {
    button.disabled = true;
    const given = await postFaucet(address);
    button.disabled = false;
    button.hidden = given.ok;
  };
}
