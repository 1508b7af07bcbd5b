/** Runs packet-sender.c, which says what traffic through several routers costs; compiled for the lab and gone with it. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Lab } from '../lab/lab.ts';
import type { ForwardWorld } from './forward-world.ts';
import { SERVER_IP } from './forward-world.ts';

const SOURCE = fileURLToPath(new URL('packet-sender.c', import.meta.url));

export type Traffic = {
  /** udp: packets of 18 bytes. tcp: one stream. */
  readonly kind: 'udp' | 'tcp';
  readonly direction: 'up' | 'down';
  readonly batches: number;
  /** Packets (udp) or KiB (tcp) in a batch. */
  readonly units: number;
};

export class PacketSender {
  readonly #program: string;

  /** @throws if there is no C compiler (`cc`, or CC). */
  constructor(lab: Lab) {
    this.#program = lab.path('packet-sender');
    execFileSync(process.env['CC'] ?? 'cc', ['-O2', '-o', this.#program, SOURCE], { stdio: 'inherit' });
  }

  /**
   * Processor time of the path through each of `worlds`, nanoseconds a unit: a quarter of the batches took less. The quartile, because
   * a batch can only be disturbed one way.
   */
  costs(traffic: Traffic, worlds: readonly ForwardWorld[]): number[] {
    const { kind, direction, batches, units } = traffic;
    const namespaces = worlds.flatMap(({ client, server }) => [client.netns, server.netns]);
    const text = execFileSync(
      'taskset',
      ['-c', '1', this.#program, kind, direction, String(batches), String(units), SERVER_IP, ...namespaces],
      { encoding: 'utf8', timeout: 300_000, maxBuffer: 64 << 20 },
    );
    return text
      .trimEnd()
      .split('\n')
      .map((line) => lowerQuartile(line.split(' ').map(Number), batches));
  }
}

function lowerQuartile(costs: readonly number[], batches: number): number {
  if (costs.length < batches / 2)
    throw new Error(
      `packet-sender: only ${costs.length} of ${batches} batches arrived whole; is something else flooding?`,
    );
  return costs.toSorted((a, b) => a - b)[Math.floor(costs.length / 4)] as number;
}
