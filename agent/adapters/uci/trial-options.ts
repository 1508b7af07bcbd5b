/** What is free: the options that bound the free allowance, and the walled garden. Part of the option table. */
import { duration, gardenDomain, integer } from './option-kind.ts';
import { anyOf, defaulted, type SectionSpec } from './option-spec.ts';

export const TRIAL_OPTIONS = {
  trial: {
    max: 1,
    shown: [],
    doc: 'What bounds the free allowance (price.trial_bytes) beside its bytes. Its own page: docs/trial.md.',
    options: {
      seconds: defaulted(
        duration(0, 86_400),
        '0s',
        'Time online of one free trial. 0 = as long as its bytes last. With trial_bytes 0 and a time, only the time counts.',
      ),
      per_hour: defaulted(
        integer(1, 4096, 'trials'),
        '60',
        'Free trials begun in any hour, by all devices together: slows down a guest who changes the MAC address.',
      ),
      line_down: defaulted(
        integer(100, 10_000_000, 'kbit/s'),
        '20000',
        'What your line brings in, of which `share` is for free trials.',
      ),
      line_up: defaulted(
        integer(100, 10_000_000, 'kbit/s'),
        '5000',
        'What your line sends, of which `share` is for free trials.',
      ),
      share: defaulted(integer(1, 100, '%'), '10', 'Part of the line that all free trials together may take.'),
    },
  },
  garden: {
    max: 1,
    shown: [],
    doc: 'The walled garden: what guests reach without paying. Needs dnsmasq-full.',
    options: {
      domain: anyOf(
        gardenDomain(),
        'example.org',
        64,
        'A name that is free, with everything below it: example.org. All guests together get 1 MB/s of it.',
      ),
    },
  },
} as const satisfies Readonly<Record<string, SectionSpec>>;
