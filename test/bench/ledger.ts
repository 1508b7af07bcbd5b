/**
 * What payments cost the flash: bytes that reached the disk for each acknowledged voucher, when one guest pays alone and
 * when 64 pay at once. Counted by the kernel for a process of its own (write_bytes in /proc/self/io), verification left out.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { median, type Report } from './report.ts';

const LEDGER = fileURLToPath(new URL('ledger-main.ts', import.meta.url));
const measuredSchema = v.object({ bytesPerVoucher: v.number(), vouchersPerGroup: v.number() });

export function benchLedger(isQuick: boolean): Promise<Report> {
  const rounds = isQuick ? 1 : 3;
  const alone = measure(1, isQuick ? 300 : 2_000, rounds);
  const together = measure(64, isQuick ? 40 : 200, rounds);
  return Promise.resolve({
    bench: 'ledger',
    checks: [
      { name: 'bytes_per_voucher_1', value: alone.bytesPerVoucher, bar: 12 * 1024, better: 'lower' },
      { name: 'bytes_per_voucher_64', value: together.bytesPerVoucher, bar: 1024, better: 'lower' },
    ],
    notes: [
      `checkpoints included; vouchers that shared one fsync: ${alone.vouchersPerGroup.toFixed(1)} alone, ${together.vouchersPerGroup.toFixed(1)} of 64 guests`,
    ],
  });
}

function measure(guests: number, vouchersEach: number, rounds: number): v.InferOutput<typeof measuredSchema> {
  const all = Array.from({ length: rounds }, () => {
    const args = [LEDGER, String(guests), String(vouchersEach)];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 120_000 });
    if (status !== 0) throw new Error(`${LEDGER} ended with ${status}: ${stderr}`);
    return v.parse(measuredSchema, JSON.parse(stdout));
  });
  return {
    bytesPerVoucher: median(all.map(({ bytesPerVoucher }) => bytesPerVoucher)),
    vouchersPerGroup: median(all.map(({ vouchersPerGroup }) => vouchersPerGroup)),
  };
}
