/**
 * The guest's side of the router: the splash page against nginx serving the same bytes, the time from a payment to the open gate,
 * memory under a full house, and what the page weighs. The agent is the bundle that a router runs, in the lab.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as v from 'valibot';
import { LANGUAGES } from '../../captive-portal/page/language.ts';
import { loadPageAssets } from '../../captive-portal/page-assets.ts';
import { pageDocument } from '../../captive-portal/page-document.ts';
import { secretKeyFromPassCode } from '../../protocol/pass-code.ts';
import { signVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { BUNDLE, buildAgent, DIET_ENVIRONMENT, DIET_FLAGS } from '../../tools/build-agent.ts';
import { ROUTER_GUEST_IP4, UDP_ECHO_PORT } from '../lab/addresses.ts';
import type { Guest } from '../lab/guest.ts';
import { Lab } from '../lab/lab.ts';
import { openScene, type Scene } from '../lab/scene.ts';
import { until } from '../lab/wait.ts';
import { addressLines, BENCH_ROUTER, neighbourLines, stationRules } from './portal-address.ts';
import { median, type Report } from './report.ts';

const GUESTS = 500;
const STREAMS = 200;
const NGINX_PORT = 8099;
const CONNECTIONS = 16;
const OPTIONS = {
  price: { trial_bytes: '1MB', trial_bytes_per_day: '10GB' },
  trial: { per_hour: '4096' },
  session: { sample_ms: '1000', grace: '5m' },
};
const GUESTS_MAIN = fileURLToPath(new URL('portal-guests-main.ts', import.meta.url));
const GATE_MAIN = fileURLToPath(new URL('portal-gate-main.ts', import.meta.url));
const gateSchema = v.object({ timesMs: v.array(v.number()), answersMs: v.array(v.number()) });
const crowdSchema = v.object({
  polls: v.number(),
  events: v.number(),
  failures: v.number(),
  streamsOpen: v.number(),
  p99Ms: v.number(),
});

export async function benchPortal(isQuick: boolean): Promise<Report> {
  await buildAgent();
  const lab = new Lab();
  try {
    const command = ['env', ...DIET_ENVIRONMENT, process.execPath, ...DIET_FLAGS, BUNDLE];
    const scene = await openScene(lab, { guests: 2, options: OPTIONS, command });
    const [crowd, payer] = scene.guests as readonly [Guest, Guest];
    const gate = await measureGate(payer, isQuick ? 11 : 41);
    const pages = await measurePages(scene, isQuick ? 3 : 9);
    const house = await measureHouse(scene, crowd, isQuick ? 8 : 20);
    return {
      bench: 'portal',
      checks: [
        { name: 'rps_ratio_nginx', value: pages.ratio, bar: 0.5, better: 'higher' },
        { name: 'gate_open_ms_p50', value: median(gate.timesMs), bar: 25, better: 'lower' },
        { name: 'rss_load_mib', value: house.rssMiB, bar: 120, better: 'lower' },
        { name: 'page_gzip_bytes', value: pageBytes(), bar: 40_960, better: 'lower' },
      ],
      notes: [
        `splash page: ${pages.portal.rps.toFixed(0)} requests/s (p99 ${pages.portal.p99Ms.toFixed(1)} ms), nginx ${pages.nginx.rps.toFixed(0)} (p99 ${pages.nginx.p99Ms.toFixed(1)} ms); by processor time of the server the ratio is ${pages.cpuRatio.toFixed(2)}`,
        `gate: voucher answered after ${median(gate.answersMs).toFixed(1)} ms (p50), slowest gate ${Math.max(...gate.timesMs).toFixed(1)} ms of ${gate.timesMs.length}`,
        `${GUESTS} guests polling, ${house.streamsOpen} streams open at the end: ${house.polls} polls (p99 ${house.p99Ms.toFixed(0)} ms), ${house.events} events, ${house.failures} failures`,
      ],
    };
  } finally {
    await lab.close();
  }
}

/** What a first visit loads, compressed as it is sent. */
/** What a visit loads, in the language whose texts weigh most: the page as it is served, with script, styles and icon. */
function pageBytes(): number {
  const { html: template, script, style, icon } = loadPageAssets();
  const gzipped = (text: string) => gzipSync(text, { level: 9 }).length;
  const portal = { port: 2080, host: 'portal.lan', name: 'Test WiFi' };
  const pages = LANGUAGES.map((language) =>
    gzipped(pageDocument({ template, portal, files: { terms: new Map(), problems: [] } }, language)),
  );
  return Math.max(...pages) + gzipped(script) + gzipped(style) + gzipped(icon);
}

async function measureGate(guest: Guest, rounds: number): Promise<v.InferOutput<typeof gateSchema>> {
  await guest.join();
  await guest.buy(1n);
  const last = guest.portal.lastVoucher;
  if (last === undefined) throw new Error('the portal has no voucher of the guest that just paid');
  const { deployment } = await guest.portal.knownTerms();
  const secretKey = secretKeyFromPassCode(guest.passCode.code);
  const vouchers = Array.from({ length: rounds }, (_, i) => {
    // 20 units buy 20 kB: soon used up again.
    const voucher = { channelId: last.channelId, amount: last.amount + BigInt(i + 1) * 20n, ackBytes: 0n };
    return voucherJsonFromVoucher(signVoucher(deployment, voucher, secretKey));
  });
  const argv = [process.execPath, GATE_MAIN, ROUTER_GUEST_IP4, guest.server.ip4, String(UDP_ECHO_PORT)];
  const text = await guest.host.host.must(argv, { input: JSON.stringify(vouchers), timeoutMs: 120_000 });
  return v.parse(gateSchema, JSON.parse(text));
}

type Load = { readonly rps: number; readonly p99Ms: number; readonly cpuMsPerRequest: number };

/** Portal and nginx in turn, asked from the router itself so that no guest's limit is in the way. */
async function measurePages(scene: Scene, rounds: number) {
  const { router } = scene.world;
  const nginxPid = await startNginx(scene);
  const agentPid = scene.agent.pid;
  if (agentPid === undefined) throw new Error('the agent does not run');
  const [ours, theirs]: [Load[], Load[]] = [[], []];
  const load = async (port: number, pid: number): Promise<Load> => {
    const before = cpuMs(pid);
    const url = ['-H', 'Host: portal.lan', `http://${ROUTER_GUEST_IP4}:${port}/`];
    const text = await router.must(['wrk', '-t1', `-c${CONNECTIONS}`, '-d2s', '--latency', ...url], {
      timeoutMs: 20_000,
    });
    return loadFrom(text, cpuMs(pid) - before);
  };
  for (let i = 0; i < rounds; i++) {
    ours.push(await load(2080, agentPid));
    theirs.push(await load(NGINX_PORT, nginxPid));
  }
  return {
    portal: middle(ours),
    nginx: middle(theirs),
    ratio: median(ours.map((load, i) => load.rps / (theirs[i] as Load).rps)),
    cpuRatio: median(ours.map((load, i) => (theirs[i] as Load).cpuMsPerRequest / load.cpuMsPerRequest)),
  };
}

/** One worker, the page as the portal serves it, with the same headers; its worker's process id. */
async function startNginx({ lab, world: { router } }: Scene): Promise<number> {
  const answer = await router.must(['curl', '-si', '-H', 'Host: portal.lan', `http://${ROUTER_GUEST_IP4}:2080/`]);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  writeFileSync(lab.path('index.html'), body);
  const own = /^(?:http\/|content-|date|connection|keep-alive|etag)/i;
  const headers = head.split('\r\n').filter((line) => !own.test(line) || /^content-security/i.test(line));
  const added = headers.map((line) => {
    const [name, ...value] = line.split(': ');
    return `add_header ${name} "${value.join(': ')}";`;
  });
  const config = `daemon off; worker_processes 1; pid ${lab.path('nginx.pid')}; error_log ${lab.path('nginx.log')};
user root; events { worker_connections 64; }
http { access_log off; open_file_cache max=8; sendfile on; tcp_nopush on; keepalive_requests 1000000; types { text/html html; }
  charset utf-8; server { listen ${ROUTER_GUEST_IP4}:${NGINX_PORT}; root ${lab.directory}; ${added.join(' ')} } }`;
  writeFileSync(lab.path('nginx.conf'), config);
  const nginx = router.start('nginx', ['nginx', '-p', lab.directory, '-c', lab.path('nginx.conf')], {
    logFile: lab.path('nginx.out'),
  });
  return await until('nginx to serve', 10_000, async () => {
    const url = `http://${ROUTER_GUEST_IP4}:${NGINX_PORT}/`;
    const { stdout } = await router.run(['curl', '-s', '-H', 'Host: portal.lan', url]);
    const [worker] = readFileSync(`/proc/${nginx.pid}/task/${nginx.pid}/children`, 'utf8').trim().split(' ');
    return stdout === body && worker !== undefined && worker !== '' ? Number(worker) : undefined;
  });
}

function loadFrom(text: string, cpu: number): Load {
  const [, count] = /(\d+) requests in/.exec(text) ?? [];
  const [, rps] = /Requests\/sec:\s+([\d.]+)/.exec(text) ?? [];
  const [, p99, unit] = /99%\s+([\d.]+)(us|ms|s)/.exec(text) ?? [];
  if (count === undefined || rps === undefined || /Non-2xx|Socket errors/.test(text))
    throw new Error(`wrk said: ${text}`);
  const factor = unit === 'us' ? 1e-3 : unit === 's' ? 1e3 : 1;
  return { rps: Number(rps), p99Ms: Number(p99) * factor, cpuMsPerRequest: cpu / Number(count) };
}

function middle(loads: readonly Load[]): Load {
  return [...loads].sort((a, b) => a.rps - b.rps)[loads.length >> 1] as Load;
}

/** A full house: memory of the agent at its highest while all ask. */
async function measureHouse(scene: Scene, crowd: Guest, seconds: number) {
  const { router } = scene.world;
  await router.must(['ip', 'addr', 'add', `${BENCH_ROUTER}/16`, 'dev', 'br-guest']);
  const { host } = crowd.host;
  await host.script(['ip link set eth0 up', 'sysctl -qw net.ipv4.conf.all.arp_announce=1']);
  await host.must(['nft', '-f', '/dev/stdin'], { input: stationRules(GUESTS) });
  await host.must(['ip', '-batch', '-'], { input: addressLines(GUESTS) });
  await router.must(['ip', '-batch', '-'], { input: neighbourLines(GUESTS, 'br-guest') });
  await until('the portal to listen on the second network', 10_000, async () => {
    const { stdout } = await router.run(['ss', '-Hltn', 'sport', '=', ':2080']);
    return stdout.includes(BENCH_ROUTER);
  });
  const pid = scene.agent.pid as number;
  let rssMiB = 0;
  const watching = setInterval(() => {
    rssMiB = Math.max(rssMiB, rssOf(pid));
  }, 250);
  try {
    const argv = [process.execPath, GUESTS_MAIN, BENCH_ROUTER, String(GUESTS), String(STREAMS), String(seconds)];
    // 500 arrivals wait for a commit and the kernel each: on a loaded machine 0.2 s and more.
    const text = await host.must(argv, { timeoutMs: 300_000 });
    return { ...v.parse(crowdSchema, JSON.parse(text)), rssMiB };
  } finally {
    clearInterval(watching);
  }
}

function rssOf(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kib ?? 0) / 1024;
}

/** Processor time of a process: clock ticks of 10 ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
