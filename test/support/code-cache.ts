/**
 * Every test file is a process, and each of them would strip the types of, and compile, the same modules: half of what a small one
 * costs. Node keeps what it compiled where NODE_COMPILE_CACHE says, by content, so that nothing stale is ever run.
 */
import { fileURLToPath } from 'node:url';

const DIRECTORY = fileURLToPath(new URL('../../build/code-cache', import.meta.url));

/** The environment for test programs and all that they start. */
export function withCodeCache(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: DIRECTORY, ...env };
}

/** For what is measured by V8's coverage, which is less precise in functions that come out of the cache. */
export function withoutCodeCache(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: _, ...rest } = env;
  return rest;
}
