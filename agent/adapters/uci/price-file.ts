/** The owner's new price, written to the configuration file: the whole file stays right, or nothing is written. */
import { sspFromUnits } from '../../../protocol/units.ts';
import type { PriceChange, PriceResult } from '../../bus-port.ts';
import { configErrorText, configFromUci } from './read-config.ts';
import { readText, replaceFile, withOption } from './set-option.ts';
import { PENDING_CONFIG_PATH } from './torn-write.ts';

/** Does not throw: a file that cannot be read or written is `forbidden`. */
export function setPriceInFile(path: string, change: PriceChange, pendingPath = PENDING_CONFIG_PATH): PriceResult {
  const wanted: readonly (readonly [option: string, units: bigint | undefined])[] = [
    ['per_mb', change.unitsPerMb],
    ['per_minute', change.unitsPerMinute],
  ];
  try {
    let text = readText(path);
    for (const [option, units] of wanted) {
      if (units === undefined) continue;
      const changed = withOption(text, { section: 'price', option, value: sspFromUnits(units) });
      if (changed === undefined) {
        const message = `price.${option} stands in ${path} in a way that cannot be changed line by line; change it with uci`;
        return { ok: false, reason: 'refused', message };
      }
      text = changed;
    }
    const reading = configFromUci(text);
    if (!reading.ok) {
      return { ok: false, reason: 'refused', message: reading.errors.map(configErrorText).join('; ') };
    }
    replaceFile(path, text, pendingPath);
    return { ok: true };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unwritable';
    const message = `${path} cannot be changed (${code}); let the agent's user write it, or set the price with uci`;
    return { ok: false, reason: 'forbidden', message };
  }
}
