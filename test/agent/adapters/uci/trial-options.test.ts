/** What is free, as owners write it. */
import t from 'tap';
import { configErrorText, configFromUci } from '../../../../agent/adapters/uci/read-config.ts';
import type { AgentConfig } from '../../../../agent/core/config.ts';

function errors(text: string): readonly string[] {
  const reading = configFromUci(text);
  return reading.ok ? [] : reading.errors.map(configErrorText);
}

function config(text: string): AgentConfig {
  const reading = configFromUci(text);
  if (!reading.ok) throw new Error(reading.errors.map(configErrorText).join('\n'));
  return reading.config;
}

t.test(
  'trials take their share of the line; a garden is names with a dot, and nothing that dnsmasq would read otherwise',
  (t) => {
    const trial = "config trial\n\toption line_down '8000'\n\toption line_up '800'\n\toption share '50'\n";
    t.same(config(trial).price.trial?.rate, { downBytesPerS: 500_000n, upBytesPerS: 50_000n });
    const garden = (name: string) => `config garden\n\tlist domain '${name}'\n`;
    for (const name of ['example.org', 'a.b.xn--p1ai', 'pay.example.co.uk']) {
      t.same(config(garden(name)).price.gardenDomains, [name]);
    }
    const wrong = [
      'com',
      'example.org/10.0.0.1',
      '#',
      'a b.org',
      '-a.org',
      '10.0.0.1',
      `${'a'.repeat(64)}.org`,
      'Ä.org',
    ];
    for (const name of wrong) {
      t.match(errors(garden(name))[0], /garden.*domain: must be a lower-case domain name/, name);
    }
    t.end();
  },
);
