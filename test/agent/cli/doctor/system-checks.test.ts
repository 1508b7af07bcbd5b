import t from 'tap';
import { configFromUci } from '../../../../agent/adapters/uci/read-config.ts';
import type { StatusAnswer } from '../../../../agent/cli/control-schema.ts';
import type { DiskFact, DoctorProbe, FileFact } from '../../../../agent/cli/doctor/probe.ts';
import {
  agentFinding,
  chainFindings,
  clockFinding,
  deviceKeyFinding,
  diskFinding,
  gasFinding,
  leasesFinding,
  signatureFinding,
  ubusFinding,
} from '../../../../agent/cli/doctor/system-checks.ts';
import { unscriptedProbe } from '../recording-io.ts';
import { sampleStatus } from '../sample-owner.ts';

const status = sampleStatus as unknown as StatusAnswer;
const RPC = 'http://127.0.0.1:8545/secret-key';
const probe = (overrides: Partial<DoctorProbe>): DoctorProbe => ({ ...unscriptedProbe, ...overrides });
/** Answers each RPC method with a value, "!..." with a failure; throws on methods that are not listed. */
function rpc(answers: Readonly<Record<string, unknown>>): DoctorProbe['rpc'] {
  return (url, method) => {
    if (url !== RPC || !Object.hasOwn(answers, method)) throw new Error(`unscripted rpc ${url} ${method}`);
    const value = answers[method];
    return Promise.resolve(
      typeof value === 'string' && value.startsWith('!') ? { ok: false, message: value.slice(1) } : { ok: true, value },
    );
  };
}

t.test('the agent should run and sell', (t) => {
  t.same(agentFinding(status), { name: 'agent', status: 'ok', detail: '0.1.0, selling' });
  t.match(agentFinding(undefined), {
    status: 'warn',
    detail: 'not running',
    fix: 'Start it: service shareagent start',
  });
  t.match(agentFinding({ ...status, notSelling: 'offload is on' }), {
    status: 'fail',
    detail: '0.1.0, not selling: offload is on',
  });
  t.end();
});

t.test('ubus must answer', async (t) => {
  const file: FileFact = { kind: 'socket', mode: 0o660, uid: 0 };
  const path = '/var/run/ubus/ubus.sock';
  const finding = async (isAnswered: boolean, found?: FileFact) =>
    await ubusFinding(
      probe({ isAnswered: () => Promise.resolve(isAnswered), file: () => Promise.resolve(found) }),
      path,
    );
  t.match(await finding(true), { status: 'ok', detail: `reachable on ${path}` });
  t.match(await finding(false), { status: 'fail', detail: `there is no ${path}`, fix: /Start ubusd/ });
  t.match(await finding(false, file), { status: 'fail', detail: `${path} cannot be opened`, fix: /Run as root/ });
});

t.test('the lease file is counted, or its absence explained', async (t) => {
  const text = '1795000000 aa:bb:cc:00:00:01 192.168.9.101 phone *\n\n';
  t.match(await leasesFinding(probe({ text: () => Promise.resolve(text) }), '/tmp/l'), {
    status: 'ok',
    detail: '1 in /tmp/l',
  });
  t.match(await leasesFinding(probe({ text: () => Promise.resolve(undefined) }), '/tmp/l'), {
    status: 'warn',
    fix: /lease_file/,
  });
});

t.test('the clock must not be before this program or the newest block, and should be synced', async (t) => {
  const block = (timestamp: unknown) => rpc({ eth_getBlockByNumber: { timestamp } });
  const at = async (
    wallS: number,
    given: Partial<DoctorProbe>,
    url: string | undefined = RPC,
    running: StatusAnswer | undefined = status,
  ) => await clockFinding(probe({ wallS: () => wallS, ...given }), url, running);
  t.match(await at(0, {}), {
    status: 'fail',
    detail: '1970-01-01 00:00 UTC is before this program was written',
    fix: /NTP/,
  });
  t.match(await at(1_795_000_000, { rpc: block('0x6afe3000') }), {
    status: 'fail',
    detail: /is before the newest block/,
  });
  t.match(await at(1_795_000_000, { rpc: block('0x6af00000') }), {
    status: 'ok',
    detail: '2026-11-18 11:06 UTC, synced',
  });
  t.match(await at(1_795_000_000, { rpc: block('nonsense') }), { status: 'ok' });
  t.match(await at(1_795_000_000, { rpc: rpc({ eth_getBlockByNumber: '!unreachable' }) }), { status: 'ok' });
  t.match(await at(1_795_000_000, { rpc: rpc({ eth_getBlockByNumber: null }) }), { status: 'ok' });
  const unsynced = { ...status, isClockSynced: false };
  t.match(await at(1_795_000_000, { rpc: block('0x1') }, RPC, unsynced), { status: 'warn', detail: /not synced/ });
  const stopped = await clockFinding(probe({ wallS: () => 1_795_000_000.9 }), undefined, undefined);
  t.match(stopped, { status: 'ok', detail: /known once the agent runs/ });
});

t.test('the disk must have room and should not be memory', async (t) => {
  const finding = async (disk: Partial<DiskFact>) => {
    const value = { path: '/etc', freeBytes: 20_000_000n, isMemory: false, ...disk };
    return await diskFinding(probe({ disk: () => Promise.resolve({ ok: true, value }) }), '/etc/shareagent/ledger.db');
  };
  t.same(await finding({}), { name: 'disk', status: 'ok', detail: '20.0 MB free at /etc' });
  t.match(await finding({ freeBytes: 999_999n }), { status: 'fail', fix: /1 MB at least/ });
  t.match(await finding({ freeBytes: 7_999_999n }), { status: 'warn', fix: /Free 8 MB/ });
  t.match(await finding({ isMemory: true }), { status: 'warn', detail: /credit is lost at a reboot/ });
  const lost = probe({ disk: () => Promise.resolve({ ok: false, message: 'I/O error' }) });
  t.match(await diskFinding(lost, '/x/y'), { status: 'fail', detail: 'I/O error' });
});

const signed = (value: number | undefined) =>
  value === undefined ? ({ ok: false, message: 'hung up' } as const) : ({ ok: true, value } as const);

t.test('the device key must be for its owner only', async (t) => {
  const finding = async (file: Partial<FileFact> | undefined, uid = 0, socket?: string, ms?: number) => {
    const found = file === undefined ? undefined : ({ kind: 'file', mode: 0o600, uid: 0, ...file } as const);
    const storage = {
      databasePath: '/etc/l',
      deviceKeyPath: '/etc/k',
      ...(socket === undefined ? {} : { signerSocket: socket }),
    };
    return await deviceKeyFinding(
      probe({ file: () => Promise.resolve(found), uid: () => uid, signingMs: () => Promise.resolve(signed(ms)) }),
      storage,
    );
  };
  t.match(await finding(undefined), { status: 'ok', detail: '/etc/k will be made at the first start' });
  t.match(await finding({}), { status: 'ok', detail: '/etc/k, mode 0600' });
  t.match(await finding({ mode: 0o640 }), {
    status: 'fail',
    detail: '/etc/k may be read by others (mode 0640)',
    fix: 'chmod 600 /etc/k',
  });
  t.match(await finding({ kind: 'directory' }), { status: 'fail', detail: '/etc/k is no file' });
  t.match(await finding({ uid: 5 }, 1000), { status: 'warn', detail: '/etc/k belongs to uid 5, not 1000' });
  t.match(await finding({ uid: 5 }, 0), { status: 'ok' }, 'root reads it anyway');
  t.match(await finding({}, 0, '/run/s', 2.04), {
    status: 'ok',
    detail: 'held by the process at /run/s, 2.0 ms a signature',
  });
  t.match(await finding({}, 0, '/run/s', 80), {
    status: 'warn',
    detail: /80.0 ms a signature: all guests wait so long/,
  });
  t.match(await finding({}, 0, '/run/s'), { status: 'fail', detail: 'hung up', fix: /docs.wallet.md/ });
  t.match(await finding(undefined, 0, '/run/s'), { status: 'fail', detail: '/run/s is not there' });
});

t.test(
  'the chain must be reachable, the right one, and hold the contracts; the secret of the URL is not shown',
  async (t) => {
    const reading = configFromUci(`config chain
	option payee '0x${'11'.repeat(20)}'
	option rpc_url '${RPC}'
	option chain_id 31337
	option channels '0x${'22'.repeat(20)}'
	option token '0x${'33'.repeat(20)}'
	option token_name 'SSP Test Token'
	option registry '0x${'44'.repeat(20)}'`);
    if (!reading.ok) throw new Error('the configuration is right');
    const findings = async (answers: Readonly<Record<string, unknown>>) =>
      await chainFindings(probe({ rpc: rpc(answers) }), reading.config);
    const right = await findings({ eth_chainId: '0x7a69', eth_getCode: '0x60' });
    t.same(right, [
      { name: 'chain', status: 'ok', detail: 'http://127.0.0.1:8545, chain 31337' },
      { name: 'contract channels', status: 'ok', detail: `0x${'22'.repeat(20)}` },
      { name: 'contract token', status: 'ok', detail: `0x${'33'.repeat(20)}` },
    ]);
    t.notMatch(JSON.stringify(right), 'secret');
    t.match(await findings({ eth_chainId: '!connect ECONNREFUSED' }), [
      { status: 'fail', detail: 'http://127.0.0.1:8545: connect ECONNREFUSED' },
    ]);
    t.match(await findings({ eth_chainId: '0x1' }), [
      { status: 'fail', detail: 'http://127.0.0.1:8545 is chain 1, expected 31337' },
    ]);
    t.match(await findings({ eth_chainId: 5 }), [{ status: 'fail', detail: /is chain unknown/ }]);
    t.match(await findings({ eth_chainId: '0x7a69', eth_getCode: '0x' }), [
      {},
      { status: 'fail', fix: 'Set shareagent.chain.channels.' },
      { status: 'fail' },
    ]);
    t.match(await findings({ eth_chainId: '0x7a69', eth_getCode: '!timeout' }), [
      {},
      { status: 'warn', detail: 'timeout' },
      {},
    ]);
  },
);

t.test('the device needs coin for gas', async (t) => {
  const finding = async (value: unknown) =>
    await gasFinding(probe({ rpc: rpc({ eth_getBalance: value }) }), RPC, '0xd1');
  t.match(await finding('0x5'), { status: 'ok', detail: '0xd1 holds 5 wei' });
  t.match(await finding('0x0'), { status: 'fail', detail: '0xd1 holds nothing' });
  t.match(await finding('!down'), { status: 'warn' });
});

t.test('signatures are checked by the fastest that computes rightly; JavaScript alone is a warning', async (t) => {
  type Facts = Extract<Awaited<ReturnType<DoctorProbe['backends']>>, { ok: true }>['value'];
  const found = (value: Facts) => signatureFinding(probe({ backends: () => Promise.resolve({ ok: true, value }) }));
  const noble = { name: 'noble', ok: true, ratePerS: 20.4 } as const;
  const absent = { name: 'native', ok: false, why: 'Cannot find module' } as const;
  t.match(await found([absent, { name: 'wasm', ok: true, ratePerS: 200 }, noble]), {
    status: 'ok',
    detail: 'wasm, 200 a second (noble 20; native: Cannot find module)',
  });
  t.match(await found([noble]), { status: 'warn', detail: 'noble, 20 a second', fix: /secp256k1\.wasm/ });
  t.match(await found([absent]), { status: 'fail', detail: 'native: Cannot find module' });
  const dead = await signatureFinding(
    probe({ backends: () => Promise.resolve({ ok: false, message: 'the thread ended with code 1' }) }),
  );
  t.match(dead, { status: 'fail', detail: 'the thread ended with code 1' });
});
