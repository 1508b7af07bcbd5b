/**
 * What a stock OpenWrt router has in its packet filter before the agent comes: fw4's own words for the zones lan, wan and guests
 * (fw4.nft), with the file that the package gives fw4 to read in.
 */
import { readFileSync } from 'node:fs';

/** What fw4 reads into the beginning of its chain input: the package's own file there. */
const CHAIN_PRE = new URL('../../openwrt/files/usr/share/nftables.d/chain-pre/input/shareagent.nft', import.meta.url);
const FW4 = new URL('./fw4.nft', import.meta.url);

/** nft text of `table inet fw4`; `portalPort` is what the package's own firewall section opens for guests. */
export function stockRules(portalPort: number): string {
  return readFileSync(FW4, 'utf8')
    .replace('CHAIN_PRE_INPUT', readFileSync(CHAIN_PRE, 'utf8'))
    .replace('PORTAL_PORT', String(portalPort));
}
