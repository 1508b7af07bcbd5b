/** Takes down what was opened, in reverse order. */
import type { DriverLog } from '../driver.ts';

/** Something that was opened: closed again also when a later part could not be started. */
export type Opened = { readonly name: string; readonly close: () => unknown };

/** Each part, whatever the others do: what cannot be closed is logged. */
export async function closeAll(opened: readonly Opened[], log: Pick<DriverLog, 'error'>): Promise<void> {
  for (const { name, close } of [...opened].reverse()) {
    try {
      await close();
    } catch (err) {
      log.error({ err, part: name }, 'not-closed');
    }
  }
}
