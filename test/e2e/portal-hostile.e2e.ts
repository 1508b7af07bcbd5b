/** A hostile guest against the portal in the lab, while another guest goes on using it: every attack fails, nothing leaks. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { secretKeyFromText } from '../../captive-portal/page/wallet.ts';
import { signVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { GUEST_DEVICE, ROUTER_GUEST_IP4 } from '../lab/addresses.ts';
import { openTestScene } from '../lab/test-scene.ts';
import { pause, Stopwatch, until } from '../lab/wait.ts';

const STORM = fileURLToPath(new URL('support/connection-storm-main.ts', import.meta.url));
const PIPELINES = fileURLToPath(new URL('support/pipeline-storm-main.ts', import.meta.url));
const PORTAL = 'http://portal.lan';
const OWN = ['-H', 'Host: portal.lan', '-H', `Origin: ${PORTAL}`];
const JSON_TYPE = ['-H', 'Content-Type: application/json'];

const scene = await openTestScene();
const { guest: attacker, other: honest, agent, world } = scene;
await Promise.all([attacker.join(), honest.join()]);
await honest.buy(3n);
await until('service', 10_000, () => honest.reaches(4));
const honestChannel = (await honest.portal.view()).channelId ?? '0x';
const agentPid = agent.pid;
const heard: string[] = [];

/** What the attacker gets for a request made with curl: status and everything said. */
async function attack(
  path: string,
  ...more: readonly string[]
): Promise<{ readonly status: number; readonly said: string }> {
  const url = `http://${ROUTER_GUEST_IP4}${path}`;
  const argv = ['curl', '-s', '-i', '--path-as-is', '--max-time', '5', '-w', '\n%{http_code}', ...more, url];
  const { stdout } = await attacker.host.host.run(argv);
  heard.push(stdout);
  return { status: Number(stdout.slice(-3)), said: stdout };
}

/** The honest guest's patience, on a machine that is not busy. */
const MOST_ANSWER_MS = 2_000;
type Watched = { readonly asked: number; readonly failed: number; readonly late: number; readonly slowestMs: number };

/** The other guest's page meanwhile: how long its slowest answer took, and how many failed. */
function watchHonest(): () => Promise<Watched> {
  let isRunning = true;
  const result = { asked: 0, failed: 0, late: 0, slowestMs: 0 };
  const loop = (async () => {
    while (isRunning) {
      const watch = new Stopwatch();
      const { status } = await honest.portal.request('/api/view', undefined, 3_000).catch(() => ({ status: 0 }));
      result.asked += 1;
      result.failed += status === 200 ? 0 : 1;
      result.late += watch.isWithin(MOST_ANSWER_MS) ? 0 : 1;
      result.slowestMs = Math.max(result.slowestMs, watch.ms);
      // Below what one guest may.
      await pause(250);
    }
  })();
  return async () => {
    isRunning = false;
    await loop;
    return result;
  };
}

/** Connections that the portal holds from the attacker: one that it has not taken from the kernel yet belongs to no process. */
async function held(): Promise<number> {
  const { stdout } = await world.router.run(['ss', '-Htnp', 'state', 'established', 'sport', '=', ':2080']);
  return stdout.split('\n').filter((line) => line.includes(attacker.addresses.ip4) && line.includes('users:')).length;
}

/** First packets of connections that the other guest's kernel sent again, because nobody answered: what a dropped one leads to. */
async function repeatedSyns(): Promise<number> {
  const lines = (await honest.host.host.must(['cat', '/proc/net/netstat'])).split('\n');
  const [names = [], values = []] = lines.filter((line) => line.startsWith('TcpExt:')).map((line) => line.split(' '));
  const value = values[names.indexOf('TCPSynRetrans')];
  if (value === undefined) throw new Error('the kernel does not count TCPSynRetrans');
  return Number(value);
}

function served(t: Test, watched: Watched): void {
  t.equal(watched.failed, 0, `the other guest was served ${watched.asked} times`);
  t.ok(watched.asked > 5 && watched.late === 0, `at worst after ${Math.round(watched.slowestMs)} ms`);
}

const skip = existsSync('/usr/bin/slowhttptest') ? false : 'needs slowhttptest: sh tools/install-packages test';
t.test('slow headers, slow bodies and slow readers at once hold a handful of connections', { skip }, async (t) => {
  const watching = watchHonest();
  const load = ['-c', '150', '-r', '150', '-i', '2', '-l', '4', '-p', '1', '-u', `http://${ROUTER_GUEST_IP4}/`];
  const { host } = attacker.host;
  const running = ['-H', '-B', '-X'].map((kind) => host.run(['slowhttptest', kind, ...load], { timeoutMs: 20_000 }));
  const over = Promise.all(running).then(() => true);
  let most = 0;
  const look = async (): Promise<false> => {
    most = Math.max(most, await held());
    await pause(100);
    return false;
  };
  while (!(await Promise.race([over, look()])));
  t.ok(most > 0 && most <= 24, `${most} connections held at most`);
  served(t, await watching());
});

t.test('a storm of up to 100,000 connections finds the cap', async (t) => {
  const watching = watchHonest();
  const argv = [process.execPath, STORM, ROUTER_GUEST_IP4, '80', '100000', '4000'];
  const { stdout } = await attacker.host.host.run(argv, { timeoutMs: 20_000 });
  const { begun } = JSON.parse(stdout) as { begun: number };
  t.ok(begun > 500, `${begun} connections begun in 4 s`);
  t.ok((await held()) <= 24);
  served(t, await watching());
});

t.test(
  'thirty MACs, each as fast as it may, use up what strangers have: a guest with a session is let in at once, each time',
  async (t) => {
    const { host } = attacker.host;
    const macs = Array.from({ length: 30 }, (_, i) => ({
      ip4: `192.168.77.${20 + i}`,
      mac: `02:cd:00:00:00:${20 + i}`,
    }));
    const toMac = macs.map(({ ip4, mac }) => `${ip4} : ${mac}`).join(', ');
    await host.script(macs.map(({ ip4 }) => `ip addr add ${ip4}/24 dev eth0`));
    // Packets of each address leave with its own MAC.
    const stations = `table netdev macs {
    map macs { type ipv4_addr : ether_addr; elements = { ${toMac} }; }
    chain in { type filter hook ingress device eth0 priority 0;
      ether daddr & ff:ff:ff:00:00:00 == 02:cd:00:00:00:00 meta pkttype set host
    }
    chain out { type filter hook egress device eth0 priority 0;
      ether saddr set ip saddr map @macs
    }
  }`;
    await host.must(['nft', '-f', '/dev/stdin'], { input: stations });
    await world.router.script(
      macs.map(({ ip4, mac }) => `ip neigh replace ${ip4} lladdr ${mac} nud permanent dev ${GUEST_DEVICE}`),
    );
    const argv = [process.execPath, STORM, ROUTER_GUEST_IP4, '80', '100000', '4000', ...macs.map(({ ip4 }) => ip4)];
    const storm = host.run(argv, { timeoutMs: 20_000 });
    await pause(500);
    const before = await repeatedSyns();
    for (let i = 0; i < 12; i++) {
      t.equal((await honest.portal.request('/api/view', undefined, 5_000)).status, 200);
      // Below what one guest may.
      await pause(250);
    }
    t.ok((JSON.parse((await storm).stdout) as { begun: number }).begun > 500);
    t.equal(await repeatedSyns(), before, 'no first packet had to be sent again');
  },
);

t.test('thousands of requests in one piece, of which no answer is read', async (t) => {
  const watching = watchHonest();
  const argv = [process.execPath, PIPELINES, ROUTER_GUEST_IP4, '80', '16', '3000'];
  const { stdout } = await attacker.host.host.run(argv, { timeoutMs: 20_000 });
  t.ok((JSON.parse(stdout) as { ended: number }).ended >= 16, stdout);
  served(t, await watching());
  t.equal(agent.pid, agentPid, 'the agent has not died of it');
});

t.test('bodies of 10 MB, floods of headers, paths out of the page, odd bytes', async (t) => {
  const { host } = attacker.host;
  const big = scene.lab.path('big');
  await host.script([`head -c 10000000 /dev/zero > ${big}`]);
  t.match((await attack('/api/open', ...OWN, ...JSON_TYPE, '--data-binary', `@${big}`)).said, /413|^$/);
  const flood = Array.from({ length: 60 }, (_, i) => ['-H', `X-${i}: ${'x'.repeat(200)}`]).flat();
  t.equal((await attack('/api/view', ...OWN, ...flood)).status, 431);
  for (const path of [
    '/../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/shadow',
    '/page.js/../../../agent/main.ts',
    '/logo/../device.key',
    '//etc/passwd',
  ]) {
    const { status, said } = await attack(path, ...OWN);
    t.ok([302, 400, 404].includes(status), `${path}: ${status}`);
    t.notMatch(said, /root:|import |PRIVATE/);
  }
  for (const body of [
    '{"v":1,',
    '[[[[[[[[[[[[[[[[',
    '{"v":1,"ch":"0x00","amt":"-1","ack":"0","sig":"0x"}',
    '"\\u0000',
  ]) {
    t.equal((await attack('/api/voucher', ...OWN, ...JSON_TYPE, '--data-binary', body)).status, 400);
  }
  const cbor = ['-H', 'Content-Type: application/cbor', '--data-binary', 'ÿÿÿ'];
  t.equal((await attack('/api/voucher', ...OWN, ...cbor)).status, 415);
  const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAA'];
  const { status } = await attack('/api/events', ...OWN, ...upgrade.flatMap((line) => ['-H', line]), '--max-time', '1');
  t.not(status, 101, 'there is no WebSocket to attack');
});

t.test('what a request claims about itself changes nobody', async (t) => {
  const spoofed = ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'Client-IP'].flatMap((name) => [
    '-H',
    `${name}: ${name === 'Forwarded' ? 'for=' : ''}${honest.addresses.ip4}`,
  ]);
  const { status, said } = await attack('/api/view', ...OWN, ...spoofed, '-H', 'Cookie: session=1');
  t.equal(status, 200);
  t.match(said, /"phase":"none"/, 'the view is the attacker’s own');
  // DNS rebinding: a foreign name that leads to the router is sent to the page, whatever it asks.
  for (const host of ['evil.example', `${ROUTER_GUEST_IP4}`, 'portal.lan.evil.example', 'localhost']) {
    const { status, said } = await attack('/api/view', '-H', `Host: ${host}`);
    t.equal(status, 302, host);
    t.notMatch(said, '"phase"');
  }
  for (const origin of ['http://evil.example', 'null', 'http://portal.lan.evil.example']) {
    const { status } = await attack('/api/leave', '-H', 'Host: portal.lan', '-H', `Origin: ${origin}`, '-X', 'POST');
    t.equal(status, 403, `a post from ${origin}`);
  }
  const plain = ['-H', 'Content-Type: text/plain', '--data-binary', '{}'];
  t.equal((await attack('/api/leave', ...OWN, ...plain)).status, 415, 'a body that a form can send without asking');
});

t.test("another guest's channel and session are out of reach", async (t) => {
  const terms = await attacker.portal.terms();
  const secretKey = secretKeyFromText(attacker.passCode.code) as Uint8Array;
  const voucher = { channelId: honestChannel, amount: 40_000n, ackBytes: 0n };
  const body = JSON.stringify(voucherJsonFromVoucher(signVoucher(terms.deployment, voucher, secretKey)));
  const { said } = await attack('/api/voucher', ...OWN, ...JSON_TYPE, '--data-binary', body);
  t.match(said, /"reason":"(not-your-channel|unknown-channel)"/);
  const attach = JSON.stringify({
    v: 1,
    ch: honestChannel,
    challenge: `0x${'11'.repeat(32)}`,
    sig: `0x${'22'.repeat(64)}`,
  });
  const refused = await attack('/api/attach', ...OWN, ...JSON_TYPE, '--data-binary', attach);
  t.ok(refused.status >= 400 && refused.status < 500, `attach: ${refused.status}`);
  for (const path of [`/api/view?session=1`, `/api/view/${honestChannel}`, `/api/events?mac=${honest.mac}`]) {
    const { said } = await attack(path, ...OWN, '--max-time', '1');
    t.notMatch(said, honestChannel);
  }
  t.equal((await attack('/api/leave', ...OWN, '-X', 'POST')).status, 403, 'nobody leaves for another');
});

t.test('after all that the other guest is online as before, and the attacker has learnt nothing', async (t) => {
  t.equal(agent.pid, agentPid, 'one and the same agent');
  t.match(await honest.portal.view(), { isOnline: true, phase: 'active' });
  t.ok(await honest.reaches(4));
  const all = heard.join('\n');
  for (const secret of [honest.mac, honest.addresses.ip4, honest.addresses.ip6, honest.passCode.code]) {
    t.notMatch(all, secret);
  }
  t.notMatch(all, /node_modules|\.ts:\d|at [A-Za-z.]+ \(|sqlite|ECONN/);
  t.equal(agent.countLogged('portal-request-failed'), 0, 'nothing broke inside');
  t.notMatch(readFileSync(agent.logPath, 'utf8'), '"unhandled"');
});
