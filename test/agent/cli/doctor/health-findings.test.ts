import t from 'tap';
import type { StatusAnswer } from '../../../../agent/cli/control-schema.ts';
import { broken, fine } from '../../../../agent/cli/doctor/finding.ts';
import { healthFindings } from '../../../../agent/cli/doctor/health-findings.ts';
import { sampleStatus } from '../sample-owner.ts';

function answer(health: NonNullable<StatusAnswer['health']>): StatusAnswer {
  return { ...sampleStatus, health };
}

t.test('what only the running agent knows is added, and what is told already is not told twice', (t) => {
  const health = [
    { check: 'sale', ok: false, message: 'no uplink', fix: 'plug it in' },
    { check: 'clock', ok: false, message: 'not set' },
    { check: 'config', ok: false, message: 'changed, but not applied yet: portal.port', fix: 'restart' },
    { check: 'bus', ok: true, message: 'heard' },
    { check: 'counters', ok: false, message: 'disagree' },
  ];
  const found = [fine('config', 'right'), broken('clock', 'wrong', 'set it'), fine('bus', 'heard')];
  t.same(healthFindings(answer(health), found), [
    { name: 'config', status: 'warn', detail: 'changed, but not applied yet: portal.port', fix: 'restart' },
    { name: 'counters', status: 'warn', detail: 'disagree', fix: 'See why: logread -e shareagent.' },
  ]);
  t.same(healthFindings(answer([{ check: 'proofs', ok: true, message: 'signed' }]), found), [fine('proofs', 'signed')]);
  t.end();
});

t.test('an agent that does not answer, or is older, adds nothing', (t) => {
  t.same(healthFindings(undefined, []), []);
  t.same(healthFindings(sampleStatus as StatusAnswer, []), []);
  t.end();
});
