/** The agent, as its owner sees it: what the control socket and the bus ask. Implemented in agent/owner/owner.ts. */
import type { AgentStatus } from './core/agent-status.ts';
import type { ProofRecord } from './core/journal-entry.ts';
import type { Channel, SessionId } from './core/model.ts';
import type { SessionRow } from './core/view.ts';

/** What the owner may ask of the agent: by CLI, ubus and LuCI. */
export type OwnerDesk = {
  status(): AgentStatus;
  sessions(): readonly SessionRow[];
  channels(): readonly Channel[];
  proofs(limit: number): readonly ProofRecord[];
  /** Ends a session as if the guest had left; false if there is none with this id. */
  endSession(id: SessionId): Promise<boolean>;
};
