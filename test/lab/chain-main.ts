/** The lab's chain, run on the internet: anvil with the contracts deployed. Prints one JSON line and stays. */
import { hexFromBytes } from '../../protocol/hex.ts';
import { startAnvilWithContracts } from '../support/anvil.ts';
import { BACKEND_IP4, CHAIN_PORT } from './addresses.ts';

const chain = await startAnvilWithContracts({ host: BACKEND_IP4, port: CHAIN_PORT });
// From here on a block a second, so that opening a channel takes as long as it does on a fast chain.
await chain.request('evm_setIntervalMining', 1);
process.stdout.write(
  `${JSON.stringify({
    chainId: chain.chainId.toString(),
    token: chain.deployment.token,
    channels: chain.deployment.channels,
    bankKey: hexFromBytes(chain.accounts[0]?.secretKey ?? new Uint8Array(32)),
  })}\n`,
);
process.stdin.resume().once('end', () => void chain.stop().then(() => process.exit(0)));
