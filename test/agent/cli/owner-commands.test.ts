import t from 'tap';
import * as v from 'valibot';
import { channelsSchema, proofsSchema, sessionsSchema, statusSchema } from '../../../agent/cli/control-schema.ts';
import { buildControl } from '../../../agent/owner/control.ts';
import { listenSample, runLine } from './recording-io.ts';
import { sampleOwner, sampleStatus } from './sample-owner.ts';

const lines = (...text: readonly string[]): string => text.join('\n');

t.test('status is one fact a line', async (t) => {
  const socket = await listenSample(t);
  t.same(await runLine(['status', '--socket', socket]), {
    exitCode: 0,
    err: '',
    out: lines(
      'agent    0.1.0, up 1d 2h',
      'selling  yes',
      'guests   3 sessions, 2 open channels',
      'traffic  1.23 GB down, 98.8 MB up',
      'earned   12.3456 SSP in open channels, 900 SSP settled',
      'gas      0.00123 coin spent on the channels listed, 0.015 SSP of open fees for it',
      'proofs   12 closed, 11 acknowledged, 1 waiting',
      'ubus     connected',
      'clock    synced',
      'device   0xd1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1',
      'payee    0xa1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1',
    ),
  });
});

t.test('status says why nothing is sold, without letting the reason write to the terminal', async (t) => {
  const status = () => ({
    ...sampleStatus,
    notSelling: 'flow offload is on\x1b[2J',
    isBusConnected: false,
    isClockSynced: false,
  });
  const { out } = await runLine(['status', '--socket', await listenSample(t, { status })]);
  t.match(out, 'selling  no: flow offload is on\ufffd[2J\n');
  t.match(out, 'ubus     not connected\nclock    not known good\n');
});

t.test('sessions are a table', async (t) => {
  t.equal(
    (await runLine(['sessions', '--socket', await listenSample(t)])).out,
    lines(
      'ID  GUEST                 ADDRESS           PHASE    ONLINE     DOWN       UP   CHARGED  CREDIT     LEFT',
      ' 1  aa:bb:cc:00:00:01     192.168.9.101 +1  active  12m 34s  41.0 MB  1.50 MB  4.25 SSP   5 SSP  7.50 MB',
      ' 2  aa:bb:cc:00:00:02 +1  192.168.9.102     grace     1m 1s  10.0 MB      0 B     1 SSP   1 SSP      0 B',
      ' 3  aa:bb:cc:00:00:04     -                 trial        5s   250 kB  50.0 kB     0 SSP   0 SSP   700 kB',
    ),
  );
  const none = await listenSample(t, { sessions: () => [] });
  t.equal((await runLine(['sessions', '--socket', none])).out, 'No sessions.');
});

t.test('a session is ended by its id', async (t) => {
  const ended: number[] = [];
  const socket = await listenSample(t, { endSession: sampleOwner(ended).endSession });
  t.match(await runLine(['sessions', 'end', '2', '--socket', socket]), { exitCode: 0, out: 'Session 2 ended.' });
  t.match(await runLine(['sessions', 'end', '3', '--json', '--socket', socket]), { exitCode: 0, out: '{"ended":3}' });
  t.same(ended, [2, 3]);
  t.match(await runLine(['sessions', 'end', '9', '--socket', socket]), {
    exitCode: 1,
    err: 'shareagent: There is no session 9.',
  });
});

t.test('wrong operands of sessions are usage errors', async (t) => {
  for (const operands of [['end'], ['stop', '1'], ['end', '1', '2']]) {
    t.match(await runLine(['sessions', ...operands]), {
      exitCode: 2,
      err: 'shareagent: sessions takes nothing or: end ID',
    });
  }
  t.match(await runLine(['sessions', 'end', '../status']), { exitCode: 2, err: /ID must be a session's number/ });
});

t.test('channels are a table', async (t) => {
  t.equal(
    (await runLine(['channels', '--socket', await listenSample(t)])).out,
    lines(
      'CHANNEL         PHASE   MODE  DEPOSIT  CREDIT  CLAIMED     GAS  PAYER           EXPIRES (UTC)     OPENED IN       CLOSED IN',
      '0xc1c1c1..c1c1  active  hold   10 SSP   5 SSP    0 SSP  0 coin  0xb1b1b1..b1b1  2027-01-15 08:00  0xe1e1e1..e1e1  -',
    ),
  );
  const [channel] = sampleOwner().channels();
  if (channel === undefined) throw new Error('the sample has a channel');
  const { openTx, ...unopened } = channel;
  const closed = await listenSample(t, {
    channels: () => [{ ...unopened, phase: 'settled', closeTx: openTx ?? '0x', closeUnits: 49_999n }],
  });
  const { out } = await runLine(['channels', '--socket', closed]);
  t.match(out, / {2}- {10}0xe1e1e1\.\.e1e1$/);
  t.match(out, / 4\.9999 SSP /, 'what the close has claimed');
});

t.test('proofs are a table, with seconds since boot while the clock was not known', async (t) => {
  const proofs = (limit: number) =>
    sampleOwner()
      .proofs(limit)
      .map((record, i) =>
        i === 0 ? { ...record, proof: { ...record.proof, startS: 90n, endS: 30n, clockState: 0n as const } } : record,
      );
  t.equal(
    (await runLine(['proofs', '--socket', await listenSample(t, { proofs })])).out,
    lines(
      'SEQ  FROM (UTC)        LASTED     DOWN       UP     CHARGED  VERDICT  DIGEST',
      '  8  boot + 1m 30s         0s  3.40 MB  12.0 kB  0.3412 SSP  waiting  0x929292..9292',
      '  7  2026-11-18 11:06     10m  3.40 MB  12.0 kB  0.3412 SSP  valid    0x919191..9191',
    ),
  );
});

t.test('proofs takes a limit in its bounds', async (t) => {
  const socket = await listenSample(t);
  const document = JSON.parse((await runLine(['proofs', '--limit', '1', '--json', '--socket', socket])).out);
  t.equal(document.proofs.length, 1);
  for (const limit of ['0', '1009', 'x', '1.5']) {
    t.match(await runLine(['proofs', '--limit', limit]), {
      exitCode: 2,
      err: /--limit must be a whole number from 1 to 1008/,
    });
  }
});

t.test('with --json everything that the agent said is passed on', async (t) => {
  const socket = await listenSample(t);
  const control = buildControl({ owner: sampleOwner() });
  for (const command of ['status', 'sessions', 'channels', 'proofs']) {
    const { out } = await runLine([command, '--json', '--socket', socket]);
    t.equal(out, (await control.inject(`/${command}`)).body, command);
    t.notMatch(out, '\n', 'one line');
  }
});

t.test("the agent's answers are in the shape that the command line knows", async (t) => {
  const control = buildControl({ owner: sampleOwner() });
  const cases = [
    ['/status', statusSchema],
    ['/sessions', sessionsSchema],
    ['/channels', channelsSchema],
    ['/proofs', proofsSchema],
  ] as const;
  for (const [path, schema] of cases) t.ok(v.is(schema, (await control.inject(path)).json()), path);
});
