/**
 * npm's solc behind the native compiler's command line, as far as forge uses it: --version and --standard-json.
 * Run by contracts/solc.
 */
import { readFileSync } from 'node:fs';
import { compilerVersion, compileStandardJson } from './solc.ts';

const STDIN = 0;

function main(args: readonly string[]): void {
  if (args.includes('--version')) {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${compilerVersion()}\n`);
    return;
  }
  if (args.includes('--standard-json')) {
    process.stdout.write(compileStandardJson(readFileSync(STDIN, 'utf8')));
    return;
  }
  process.stderr.write(`solc: expected --version or --standard-json, got ${args.join(' ')}\n`);
  process.exitCode = 1;
}

main(process.argv.slice(2));
