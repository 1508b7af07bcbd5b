/** Who signs as this node: the key in its file, or the process that the owner has named. */
import type { AgentConfig } from '../core/config.ts';
import type { Signer } from '../ports.ts';
import { deviceSigner } from './device-key.ts';
import { socketSigner } from './socket-signer.ts';

/** @throws KeyError */
export function nodeSigner({ deviceKeyPath, signerSocket }: AgentConfig['storage']): Signer {
  return signerSocket === undefined ? deviceSigner(deviceKeyPath) : socketSigner(signerSocket);
}
