/**
 * procd's watchdog for one of its instances, fed while the agent's own loop gets somewhere. The first feeding arms it, so
 * that an agent whom ubus does not let near it (no ACL, another init) is not killed for that. On expiry procd starts the
 * instance anew; what guests have paid for stays in the kernel.
 * @see procd service/service.c, method `watchdog` of the ubus object `service`
 */
import type { UbusClient } from '../../../openwrt/node-openwrt-ubus/src/client.ts';

export type ProcdWatchdogOptions = {
  readonly client: Pick<UbusClient, 'call'>;
  /** Service and instance as the init script names them, e.g. `shareagent/agent`; undefined where procd runs nothing. */
  readonly instance: string | undefined;
  /** A number that the loop moves on each time it has read the counters and decided; standing still is not being alive. */
  readonly progress: () => number;
  readonly onProblem: (error: Error) => void;
  readonly everyMs?: number;
};

/** Mode "passive" of procd's INSTANCE_WATCHDOG_MODE: it watches, and restarts on expiry. */
const MODE = 1;
/** Four feedings; more than the longest verification and journal commit that were ever measured on a slow flash. */
const EXPIRY_S = 60;
const EVERY_MS = 15_000;

/** @returns what stops the feeding; procd's own stop cancels its timer */
export function feedWatchdog(options: ProcdWatchdogOptions): { close(): void } {
  const { client, instance: path, progress, onProblem } = options;
  if (path === undefined) return { close: () => undefined };
  const [name = path, instance = 'instance1'] = path.split('/');
  let seen = Number.NEGATIVE_INFINITY;
  let isRefused = false;
  const timer = setInterval(() => {
    const now = progress();
    if (now === seen) return;
    seen = now;
    client.call('service', 'watchdog', { name, instance, mode: MODE, timeout: EXPIRY_S }).then(
      () => {
        isRefused = false;
      },
      (cause: unknown) => {
        // Told once: a bus that is away comes back, an ACL that is missing stays so.
        if (!isRefused) onProblem(new Error('procd’s watchdog is not fed', { cause }));
        isRefused = true;
      },
    );
  }, options.everyMs ?? EVERY_MS);
  timer.unref();
  return { close: () => clearInterval(timer) };
}
