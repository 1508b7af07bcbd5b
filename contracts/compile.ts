/**
 * Compiles the contracts with the pinned compiler and writes, for each that is deployed, contracts/artifacts/NAME.json
 * (ABI and creation bytecode) and contracts/abi/NAME.ts (the ABI alone, typed, for code that goes into a bundle).
 * With --check nothing is written: exit code 1 if a file differs from its sources.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { COMPILER_SETTINGS, compileStandardJson, type SolidityOutput } from './solc.ts';

/** What is deployed; everything else in contracts/ is part of these. */
const DEPLOYED = [
  { file: 'contracts/ShareChannels.sol', name: 'ShareChannels', abiModule: 'share-channels' },
  { file: 'contracts/DeviceRegistry.sol', name: 'DeviceRegistry', abiModule: 'device-registry' },
  { file: 'contracts/ShareRewards.sol', name: 'ShareRewards', abiModule: 'share-rewards' },
  { file: 'contracts/tokens/SspToken.sol', name: 'SspToken', abiModule: 'ssp-token' },
  { file: 'contracts/tokens/LegacySspToken.sol', name: 'LegacySspToken', abiModule: 'legacy-ssp-token' },
] as const;

const root = new URL('../', import.meta.url);

/** Texts by path, as they must stand in the repository. @throws Error with the compiler's messages. */
export function compileArtifacts(): ReadonlyMap<string, string> {
  const output = compileSources(['contracts/', 'contracts/tokens/']);
  return new Map(
    DEPLOYED.flatMap(({ file, name, abiModule }) => {
      const contract = output.contracts?.[file]?.[name];
      if (contract === undefined) throw new Error(`compile: ${file} has no contract ${name}`);
      const entries = contract.abi.map((entry) => JSON.stringify(entry, withoutInternalTypes));
      return [
        [`contracts/artifacts/${name}.json`, artifactText(name, entries, contract.evm.bytecode.object)],
        [`contracts/abi/${abiModule}.ts`, abiModuleText(file, abiModule, entries)],
      ] as const;
    }),
  );
}

/** Compiles every .sol file of the folders (relative to the repository). Warnings are errors. */
function compileSources(folders: readonly string[]): SolidityOutput {
  const sources: Record<string, { content: string }> = {};
  for (const folder of folders) {
    for (const name of readdirSync(new URL(folder, root)).sort()) {
      if (name.endsWith('.sol'))
        sources[`${folder}${name}`] = { content: readFileSync(new URL(`${folder}${name}`, root), 'utf8') };
    }
  }
  const settings = { ...COMPILER_SETTINGS, outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } } };
  const output = JSON.parse(
    compileStandardJson(JSON.stringify({ language: 'Solidity', sources, settings })),
  ) as SolidityOutput;
  const problems = (output.errors ?? []).filter((error) => error.severity !== 'info');
  if (problems.length > 0)
    throw new Error(`compile:\n${problems.map((problem) => problem.formattedMessage).join('\n')}`);
  return output;
}

/** Solidity's own names of types: only source tools want them, and they are a third of the ABI. */
function withoutInternalTypes(key: string, value: unknown): unknown {
  return key === 'internalType' ? undefined : value;
}

/** One ABI entry a line: small, and a changed function is a changed line. */
function artifactText(name: string, entries: readonly string[], bytecode: string): string {
  const abi = entries.map((entry) => `    ${entry}`).join(',\n');
  return `{\n  "contractName": "${name}",\n  "abi": [\n${abi}\n  ],\n  "bytecode": "0x${bytecode}"\n}\n`;
}

function abiModuleText(file: string, abiModule: string, entries: readonly string[]): string {
  const constant = `${abiModule.toUpperCase().replaceAll('-', '_')}_ABI`;
  const abi = entries.map((entry) => `  ${entry},\n`).join('');
  return `/** Made by contracts/compile.ts from ${file}: do not edit. */\nexport const ${constant} = [\n${abi}] as const;\n`;
}

function main(isCheck: boolean): void {
  for (const [path, text] of compileArtifacts()) {
    const url = new URL(path, root);
    const isCurrent = existsSync(url) && readFileSync(url, 'utf8') === text;
    if (isCheck && !isCurrent) {
      process.stderr.write(`${path} differs from its sources: run "node contracts/compile.ts" and commit it\n`);
      process.exitCode = 1;
    }
    if (!isCheck && !isCurrent) writeFileSync(url, text);
    process.stdout.write(`${path} ${isCurrent ? 'is current' : isCheck ? 'is stale' : 'written'}\n`);
  }
}

if (import.meta.main) main(process.argv.includes('--check'));
