/** What a reducer returns: the state after the event, and what shall be done. */
import type { AgentAction } from './actions.ts';
import type { AgentState } from './state.ts';

export type Outcome = { readonly state: AgentState; readonly actions: readonly AgentAction[] };
