/**
 * Benchmarks: `npm run bench -- NAME [--json] [--quick]`. Ratios are measured in one run, interleaved; with --json the last
 * line is one JSON object. Exit code 0 only if every bar was met.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { elevate } from '../lab/elevate.ts';
import { benchBinary } from './binary.ts';
import { benchFootprint } from './footprint.ts';
import { benchForward } from './forward.ts';
import { benchIngest } from './ingest.ts';
import { benchLedger } from './ledger.ts';
import { benchMeter } from './meter.ts';
import { svgFromPlot } from './plot.ts';
import { benchPortal } from './portal.ts';
import { isMet, type Report, reportJson, reportTable } from './report.ts';
import { benchTls } from './tls.ts';
import { benchUbus } from './ubus.ts';
import { benchVoucher } from './voucher.ts';

const OUT = fileURLToPath(new URL('out/', import.meta.url));
const BENCHES: Readonly<Record<string, (isQuick: boolean) => Promise<Report>>> = {
  forward: benchForward,
  meter: benchMeter,
  footprint: benchFootprint,
  ubus: benchUbus,
  binary: benchBinary,
  voucher: benchVoucher,
  ledger: benchLedger,
  ingest: benchIngest,
  portal: benchPortal,
  tls: benchTls,
};

elevate();
process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const flags = argv.filter((argument) => argument.startsWith('--'));
  const names = argv.filter((argument) => !argument.startsWith('--'));
  const wanted = names.length === 0 ? Object.keys(BENCHES) : names;
  const unknown = wanted.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) {
    console.error(`bench: no ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`);
    return 2;
  }
  let isOk = true;
  for (const name of wanted) {
    const report = await (BENCHES[name] as (isQuick: boolean) => Promise<Report>)(flags.includes('--quick'));
    isOk &&= report.checks.every(isMet);
    if (report.plot !== undefined) {
      mkdirSync(OUT, { recursive: true });
      writeFileSync(`${OUT}${name}.svg`, svgFromPlot(report.plot));
    }
    console.log(reportTable(report));
    if (flags.includes('--json')) console.log(reportJson(report));
  }
  return isOk ? 0 : 1;
}
