/** `shareagent doctor`: what the router lacks to sell WiFi, and what to do about it. */
import { readConfig } from '../../adapters/uci/read-config.ts';
import { type Answer, type Command, EXIT } from '../command.ts';
import { printable } from '../display-width.ts';
import { counted } from '../quantity.ts';
import { examine } from './examine.ts';
import type { Finding } from './finding.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  operands: '',
  summary: 'Check kernel, network, clock, disk and chain; say what to fix.',
  details: ['Nothing is changed. Run it as root. Exit code 1 if a check fails; warnings do not count.'],
  options: {},
  run: async ({ configPath, socketPath }, io): Promise<Answer> => {
    const paths = { config: configPath, socket: socketPath };
    const findings = await examine(io.probe, readConfig(configPath), paths);
    const isOk = findings.every(({ status }) => status !== 'fail');
    return {
      document: { ok: isOk, checks: findings },
      text: reportText(findings),
      exitCode: isOk ? EXIT.ok : EXIT.failed,
    };
  },
};

function reportText(findings: readonly Finding[]): string {
  const width = findings.reduce((widest, { name }) => Math.max(widest, name.length), 0);
  const lines = findings.flatMap(({ name, status, detail, fix }) => [
    `${status.padEnd(4)}  ${name.padEnd(width)}  ${printable(detail)}`,
    ...(fix === undefined ? [] : [`${' '.repeat(width + 8)}-> ${printable(fix)}`]),
  ]);
  const count = (status: Finding['status']): number => findings.filter((finding) => finding.status === status).length;
  const summary = `${counted(findings.length, 'check')}: ${count('ok')} ok, ${counted(count('warn'), 'warning')}, ${count('fail')} failed.`;
  return [...lines, '', summary].join('\n');
}
