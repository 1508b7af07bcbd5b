/** Amounts as a person types them: "5SSP", "0.25 SSP", "5". */
import { unitsFromSsp } from '../../protocol/units.ts';
import { usageError } from './command.ts';

/** Base units above 0. @throws CommandError naming `option` */
export function unitsFromText(text: string, option: string): bigint {
  const units = unitsFromSsp(text.trim().replace(/\s*SSP$/i, ''));
  if (units !== undefined && units > 0n) return units;
  throw usageError(`${option} must be an amount like 5SSP or 0.25SSP, got "${text.slice(0, 30)}"`);
}
