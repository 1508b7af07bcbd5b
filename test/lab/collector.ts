/** The vendor's collector, on the internet, with the lab's router enrolled. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../protocol/address.ts';
import { BACKEND_IP4, COLLECTOR_PORT } from './addresses.ts';
import { type ChainAddresses, firstLine } from './chain.ts';
import { LabError } from './errors.ts';
import type { World } from './world.ts';

const MAIN = fileURLToPath(new URL('../../fleet/main.ts', import.meta.url));

export type CollectorSettings = {
  readonly chain: ChainAddresses;
  readonly registry: Address;
  readonly device: Address;
};

export class LabCollector {
  readonly url = `http://${BACKEND_IP4}:${COLLECTOR_PORT}`;
  /** Signs the receipts. */
  readonly address: Address;
  readonly #world: World;
  readonly #device: Address;

  private constructor(world: World, device: Address, address: Address) {
    this.#world = world;
    this.#device = device;
    this.address = address;
  }

  static async start(world: World, { chain, registry, device }: CollectorSettings): Promise<LabCollector> {
    const { lab, internet } = world;
    const configPath = lab.path('collector.json');
    const config = {
      host: BACKEND_IP4,
      port: COLLECTOR_PORT,
      directory: lab.path('collector'),
      keyFile: lab.path('collector.key'),
      chainId: chain.chainId.toString(),
      channels: chain.channels,
      registry,
      devices: [{ address: device }],
    };
    writeFileSync(configPath, JSON.stringify(config));
    const running = internet.start('collector', [process.execPath, MAIN, '--config', configPath], {
      logFile: lab.path('collector.log'),
      hasPipes: true,
    });
    const { collector } = JSON.parse(await firstLine(running)) as { collector: Address };
    return new LabCollector(world, device, collector);
  }

  /** How many of the router's proofs it has found valid, by its own list. */
  async countValid(): Promise<number> {
    const url = `${this.url}/v1/proofs?device=${this.#device}&limit=1000`;
    const { status, body } = await this.#world.internetHand.call('http', { url });
    if (status !== 200) throw new LabError('LAB_COLLECTOR', `The collector answered ${status}: ${body.slice(0, 200)}`);
    const { proofs } = JSON.parse(body) as { readonly proofs: readonly { readonly verdict: string }[] };
    return proofs.filter(({ verdict }) => verdict === 'valid').length;
  }
}
