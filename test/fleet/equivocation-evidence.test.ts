/** Two proofs of one number: from the collector's store to a device slashed on a real chain. */
import { createContract } from 'micro-eth-signer/abi.js';
import t from 'tap';
import { DEVICE_REGISTRY_ABI } from '../../contracts/abi/device-registry.ts';
import { deployRewards } from '../../contracts/deploy-rewards.ts';
import { evidenceJson, slashArguments } from '../../fleet/equivocation-evidence.ts';
import { bytesFromHex, hexFromBytes } from '../../protocol/hex.ts';
import {
  GENESIS_PREV,
  type SignedTrafficProof,
  signTrafficProof,
  type TrafficProof,
} from '../../protocol/traffic-proof.ts';
import { startAnvilWithContracts } from '../support/anvil.ts';
import { testKey } from '../support/protocol-arbitraries.ts';
import { FakeRouter } from './fake-router.ts';
import { openForTest, post } from './open-collector.ts';

const registry = createContract(DEVICE_REGISTRY_ABI);
const CLONE = testKey('clone');

function proofOf(change: Partial<TrafficProof> = {}): TrafficProof {
  return {
    device: CLONE.address,
    epoch: 3n,
    seq: 7n,
    startS: 1n,
    endS: 2n,
    bytesUp: 1n,
    bytesDown: 2n,
    paid: 3n,
    sessionsRoot: GENESIS_PREV,
    prev: GENESIS_PREV,
    clockState: 1n,
    ...change,
  };
}

/** As a device may send it that hopes not to be slashed: the collector takes the bit for nothing, the contract does not. */
function withOtherParity(proof: SignedTrafficProof): SignedTrafficProof {
  const bytes = bytesFromHex(proof.signature);
  bytes[32] = (bytes[32] as number) ^ 0x80;
  return { ...proof, signature: hexFromBytes(bytes) };
}

t.test('the collector keeps both proofs of a clone, ready to be shown', async (t) => {
  const collector = await openForTest(t);
  const router = new FakeRouter();
  const clone = new FakeRouter();
  await post(collector.app, router.next([{ guest: 1, up: 1n, down: 2n, paid: 3n }]));
  const second = await post(collector.app, clone.next([{ guest: 1, up: 5n, down: 6n, paid: 3n }]));
  t.match(second.json(), { verdict: 'equivocation' });
  const found = await collector.store.equivocations(router.key.address, 9);
  t.match(found, [{ isSlashable: true }]);
  const [pair] = found;
  if (pair === undefined) return;
  t.match(slashArguments({ chainId: 31337n, registry: CLONE.address }, pair.first, pair.second), {
    ok: false,
    message: /signed by 0x.*, not by the device/,
  });
});

t.test(
  'the evidence slashes the device on chain, once; what the contract would refuse is refused before',
  async (t) => {
    const anvil = await startAnvilWithContracts();
    t.teardown(() => anvil.stop());
    const [holder] = anvil.accounts;
    if (holder === undefined) throw new Error('anvil has no accounts');
    const { chainId, token, channels } = anvil.deployment;
    const deployed = await deployRewards(anvil.rpcUrl, holder.secretKey, { chainId, token, channels });
    const deployment = { chainId, registry: deployed.registry };
    const sign = (change: Partial<TrafficProof> = {}) => signTrafficProof(deployment, proofOf(change), CLONE.secretKey);

    t.match(slashArguments(deployment, sign(), sign()), { ok: false, message: /same proof/ });
    t.match(slashArguments(deployment, sign(), sign({ epoch: 4n })), {
      ok: false,
      message: /one device, epoch and number/,
    });
    const evidence = slashArguments(deployment, withOtherParity(sign()), sign({ paid: 4n }));
    if (!evidence.ok) throw new Error(evidence.message);
    t.match(JSON.parse(evidenceJson(evidence.value)), {
      first: { seq: '7', prev: GENESIS_PREV },
      second: { paid: '4' },
    });

    const data = hexFromBytes(registry.slashEquivocation.encodeInput(evidence.value));
    const slash = () => anvil.request('eth_sendTransaction', { from: holder.address, to: deployed.registry, data });
    const hash = await slash();
    await anvil.request('evm_mine');
    t.match(await anvil.request('eth_getTransactionReceipt', hash), { status: '0x1' });
    const ask = hexFromBytes(registry.devices.encodeInput(CLONE.address));
    const answer = await anvil.request('eth_call', { to: deployed.registry, data: ask }, 'latest');
    t.match(registry.devices.decodeOutput(bytesFromHex(answer as `0x${string}`)), { slashed: true });
    const again = anvil.request('eth_call', { from: holder.address, to: deployed.registry, data }, 'latest');
    await t.rejects(again, /revert/i, 'once');
  },
);
