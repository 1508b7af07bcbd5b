/** Section `portal` of the option table: where the guest's page is, and what it looks like. */
import { colour } from './colour-kind.ts';
import { filePath, hostName, httpUrl, integer, label, ssp } from './option-kind.ts';
import { defaulted, optional, type SectionSpec } from './option-spec.ts';

export const PORTAL_SECTION = {
  max: 1,
  shown: ['name'],
  doc: 'The page that guests pay on.',
  options: {
    port: defaulted(integer(1024, 65_535), '2080', 'TCP port of the portal on the guest devices.'),
    host: defaulted(hostName(), 'portal.lan', 'Name of the portal in its address; the router resolves it to itself.'),
    name: defaulted(label(32), 'SSP WiFi', 'What guests read at the top of the page.'),
    welcome: optional(label(200), 'Welcome! Ask us for a pass code.', 'A sentence of yours below the name.'),
    colour: optional(
      colour('#eef2f0', 'light'),
      '#8a1c4a',
      'Your colour, for buttons and marks. White stands on it, so it must be dark.',
    ),
    colour_dark: optional(
      colour('#18211f', 'dark'),
      '#ff9ec4',
      'The same for phones in dark mode. Black stands on it, so it must be bright.',
    ),
    folder: defaulted(
      filePath(200),
      '/etc/shareagent/portal',
      'Your files for the page: logo.svg, .png, .jpg or .webp (square, at most 64 kB), terms.txt, and terms.es.txt and so on for other languages.',
    ),
    venue_url: optional(
      httpUrl(),
      'https://cafe.example/',
      'Your own website: linked on the page, and told to phones as the venue (RFC 8908).',
    ),
    faucet: optional(
      ssp('0.0001', '1000', '10'),
      '10',
      'For tests: what a guest gets from the node who asks for SSP on the page. Development chains (31337, 1337) only.',
    ),
    tls_cert: optional(
      filePath(200),
      '/etc/ssl/portal.crt',
      'Certificate chain (PEM) for `host`, with tls_key: the API that phones ask (RFC 8908) then speaks HTTPS. Read again when the file changes.',
    ),
    tls_key: optional(
      filePath(200),
      '/etc/ssl/portal.key',
      'Private key (PEM) of tls_cert. The user shareagent must be able to read it.',
    ),
  },
} as const satisfies SectionSpec;
