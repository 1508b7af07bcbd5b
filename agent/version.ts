/** The version of this build; a bundler takes it in, so that a router needs no package.json. */
import manifest from '../package.json' with { type: 'json' };

export const AGENT_VERSION: string = manifest.version;

// Put in by tools/build-agent.ts; a checkout that runs from its sources has neither.
declare const BUILD_COMMIT: string;
declare const BUILD_TARGETS: string;

/** What a built agent was made from and for: the commit, and target triples as in `x86_64-linux-gnu`. */
export type AgentBuild = { readonly commit: string; readonly targets: readonly string[] };

export const AGENT_BUILD: AgentBuild | undefined =
  typeof BUILD_COMMIT === 'string' ? { commit: BUILD_COMMIT, targets: BUILD_TARGETS.split(' ') } : undefined;
