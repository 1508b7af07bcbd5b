/**
 * The pinned Solidity compiler (npm's solc, WebAssembly) with the settings every artifact is built with.
 * Deterministic: no metadata hash in the bytecode, so it depends on the sources and these settings alone.
 */
import solc from 'solc';

/** cancun is what today's L2s run. 800 runs: more would make no operation much cheaper, and the deployment dearer than the prototype. */
export const COMPILER_SETTINGS = {
  evmVersion: 'cancun',
  viaIR: true,
  optimizer: { enabled: true, runs: 800 },
  metadata: { bytecodeHash: 'none', appendCBOR: false },
} as const;

export type SolidityOutput = {
  readonly errors?: readonly { readonly severity: string; readonly formattedMessage: string }[];
  readonly contracts?: Readonly<Record<string, Readonly<Record<string, CompiledContract>>>>;
};

export type CompiledContract = {
  readonly abi: readonly unknown[];
  readonly evm: { readonly bytecode: { readonly object: string } };
};

/** Runs the compiler on standard JSON text, as `solc --standard-json` would. */
export function compileStandardJson(inputJson: string): string {
  return solc.compile(inputJson);
}

/** "0.8.37+commit.xxxxxxxx.Emscripten.clang" */
export function compilerVersion(): string {
  return solc.version();
}
