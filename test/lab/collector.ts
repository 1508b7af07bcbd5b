/** The vendor's collector, on the internet, with the lab's router enrolled. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Address } from '../../protocol/address.ts';
import { keccak256Text } from '../../protocol/keccak.ts';
import { accessHeader } from '../../protocol/listing-access.ts';
import { addressFromSecretKey, signDigest } from '../../protocol/signature.ts';
import type { RegistryDeployment } from '../../protocol/traffic-proof.ts';
import { BACKEND_IP4, COLLECTOR_PORT } from './addresses.ts';
import { type ChainAddresses, firstLine } from './chain.ts';
import { LabError } from './errors.ts';
import type { World } from './world.ts';

const READER_KEY = keccak256Text('SSP lab reader');
/** May read the collector's lists. */
const READER = { secretKey: READER_KEY, address: addressFromSecretKey(READER_KEY) };
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
  readonly #deployment: RegistryDeployment;

  private constructor(world: World, device: Address, address: Address, deployment: RegistryDeployment) {
    this.#deployment = deployment;
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
      readers: [READER.address],
    };
    writeFileSync(configPath, JSON.stringify(config));
    const running = internet.start('collector', [process.execPath, MAIN, '--config', configPath], {
      logFile: lab.path('collector.log'),
      hasPipes: true,
    });
    const { collector } = JSON.parse(await firstLine(running)) as { collector: Address };
    return new LabCollector(world, device, collector, { chainId: chain.chainId, registry });
  }

  /** How many of the router's proofs it has found valid, by its own list. */
  async countValid(): Promise<number> {
    const url = `${this.url}/v1/proofs?device=${this.#device}&limit=1000`;
    const untilS = BigInt(Math.floor(Date.now() / 1000)) + 60n;
    const access = { reader: READER.address, device: this.#device, collector: this.address, untilS };
    const authorization = accessHeader(this.#deployment, access, (digest) => signDigest(digest, READER.secretKey));
    const { status, body } = await this.#world.internetHand.call('http', { url, headers: { authorization } });
    if (status !== 200) throw new LabError('LAB_COLLECTOR', `The collector answered ${status}: ${body.slice(0, 200)}`);
    const { proofs } = JSON.parse(body) as { readonly proofs: readonly { readonly verdict: string }[] };
    return proofs.filter(({ verdict }) => verdict === 'valid').length;
  }
}
