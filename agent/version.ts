/** The version of this build; a bundler takes it in, so that a router needs no package.json. */
import manifest from '../package.json' with { type: 'json' };

export const AGENT_VERSION: string = manifest.version;
