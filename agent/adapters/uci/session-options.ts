/** How sessions are measured and ended. Part of the option table. */
import { bytes, duration, integer } from './option-kind.ts';
import { defaulted, type SectionSpec } from './option-spec.ts';

export const SESSION_OPTIONS = {
  session: {
    max: 1,
    shown: [],
    doc: 'How sessions are measured and ended.',
    options: {
      grace: defaulted(
        duration(0, 3600),
        '30s',
        'How long a used-up guest is held for a top-up before its connections are ended. No byte passes meanwhile.',
      ),
      absent: defaulted(
        duration(5, 86_400),
        '5m',
        'How long a guest may be out of reach before the session ends and the rest of the deposit goes back.',
      ),
      sample_ms: defaulted(
        integer(100, 60_000, 'ms'),
        '1000',
        'How often the counters are read. The kernel cuts off by itself, so this only paces the display.',
      ),
      flush: defaulted(
        duration(1, 3600),
        '60s',
        'Usage is written to disk at the latest after this long; what is newer is lost at a power cut, in the favour of the guest.',
      ),
      flush_bytes: defaulted(bytes(1_000n, 1_000_000_000n), '5MB', 'Or after this many bytes of one session.'),
    },
  },
} as const satisfies Readonly<Record<string, SectionSpec>>;
