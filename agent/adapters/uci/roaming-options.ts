/** The owner's other routers, and where this one hears them. Part of the option table. */
import { parseAddress } from '../../../protocol/address.ts';
import type { SisterAddress } from '../sister-http.ts';
import { httpUrl, integer, ipAddress, type OptionKind } from './option-kind.ts';
import { anyOf, defaulted, optional, type SectionSpec } from './option-spec.ts';

/** Routers of one house; each is asked at once for a guest whose key is not known. */
const MAX_SISTERS = 32;

function sister(): OptionKind<SisterAddress> {
  const { parse: parseUrl } = httpUrl();
  return {
    expected: 'the address of a router and its URL, with a space between them',
    unit: '',
    range: 'ADDRESS URL',
    parse: (text) => {
      const [address = '', url = '', ...rest] = text.split(' ');
      const device = parseAddress(address);
      const known = parseUrl(url);
      return device === undefined || known === undefined || rest.length > 0 ? undefined : { device, url: known };
    },
  };
}

export const ROAMING_OPTIONS = {
  roaming: {
    max: 1,
    shown: [],
    doc: 'Your other routers with the same payee: a guest who pays at one goes on at the other (docs/roaming.md).',
    options: {
      address: optional(
        ipAddress(),
        '192.0.2.8',
        'Address of this router in your management network, where the other routers reach it. Never one that guests reach.',
      ),
      port: defaulted(integer(1, 65_535, ''), '2122', 'Port beside it.'),
      sister: anyOf(
        sister(),
        '0x7777777777777777777777777777777777777777 http://192.0.2.9:2122',
        MAX_SISTERS,
        'Device address (shareagent identity) and URL of another router. Both routers list each other.',
      ),
    },
  },
} as const satisfies Readonly<Record<string, SectionSpec>>;
