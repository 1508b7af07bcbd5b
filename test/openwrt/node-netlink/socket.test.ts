/** The socket: against the real kernel, which lists its network devices to anyone, and retries against a stand-in. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Addon, compiledAddon, loadAddon } from '../../../openwrt/node-netlink/src/addon.ts';
import { encodeMessage, messagesOf, NLM_F_DUMP, NLM_F_REQUEST } from '../../../openwrt/node-netlink/src/message.ts';
import { NetlinkSocket } from '../../../openwrt/node-netlink/src/socket.ts';
import '../../support/own-testdir.ts';

const NETLINK_ROUTE = 0;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const ALL_LINKS = { type: RTM_GETLINK, flags: NLM_F_REQUEST | NLM_F_DUMP, payload: Buffer.alloc(16) };
const COMPILE = fileURLToPath(new URL('../../../openwrt/node-netlink/compile', import.meta.url));
const ERRNO = { EINTR: -4, ENOBUFS: -105, EMSGSIZE: -90, EPERM: -1, ETIMEDOUT: -110 } as const;

function countLinks(answer: Buffer): number {
  return [...messagesOf(answer)].filter(({ type }) => type === RTM_NEWLINK).length;
}

function hasCompiler(): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => readdirOrNone(folder).includes('cc'));
}

function readdirOrNone(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const skip = hasCompiler() ? false : 'no C compiler on this machine';

const folder = t.testdir();
const [first, second] = ['a', 'b'].map((name) => join(folder, name, 'netlink.node')) as [string, string];
if (skip === false) for (const output of [first, second]) execFileSync('sh', [COMPILE, output], { stdio: 'pipe' });

t.test('the same compiler gives the same bytes in any folder', { skip }, (t) => {
  const bytes = readFileSync(first);
  t.ok(bytes.equals(readFileSync(second)));
  t.notOk(bytes.includes(folder) || bytes.includes('/.tools/'), 'no path of this machine inside');
  t.end();
});

t.test('lists what the kernel lists elsewhere too', { skip }, (t) => {
  const socket = new NetlinkSocket(loadAddon(first), NETLINK_ROUTE);
  const devices = readdirSync('/sys/class/net').filter((name) => name !== 'bonding_masters');
  t.equal(socket.request(ALL_LINKS, countLinks), devices.length);
  t.equal(socket.request(ALL_LINKS, countLinks), devices.length, 'again on the same socket');
  socket.close();
  t.end();
});

t.test('an answer larger than the room is asked for again with more, up to the bound', { skip }, (t) => {
  const addon = loadAddon(first);
  const reply = Buffer.alloc(64);
  const fd = addon.open(NETLINK_ROUTE, undefined);
  t.equal(addon.exchange(fd, encodeMessage(ALL_LINKS, 1), reply, 100), ERRNO.EMSGSIZE);
  addon.close(fd);
  const narrow = new NetlinkSocket(addon, NETLINK_ROUTE, { maxBytes: 64 });
  t.throws(() => narrow.request(ALL_LINKS, countLinks), { code: 'EMSGSIZE' });
  t.end();
});

t.test('errors of the kernel, and a request that nobody answers', { skip }, (t) => {
  const unknown = { type: 0xfff0, flags: NLM_F_REQUEST, payload: Buffer.alloc(16) };
  const socket = new NetlinkSocket(loadAddon(first), NETLINK_ROUTE);
  t.throws(() => socket.request(unknown, countLinks), { name: 'NetlinkError', code: /^(ENOTSUP|EPERM)$/ });
  // Done without a word: nothing was asked to be confirmed.
  const noop = { type: 1, flags: 0, payload: Buffer.alloc(0) };
  const impatient = new NetlinkSocket(loadAddon(first), NETLINK_ROUTE, { timeoutMs: 30 });
  const startedMs = performance.now();
  t.throws(() => impatient.request(noop, countLinks), { code: 'ETIMEDOUT' });
  t.ok(performance.now() - startedMs >= 25);
  t.equal(impatient.request(ALL_LINKS, countLinks) > 0, true, 'the next request is answered');
  impatient.close();
  t.throws(
    () => new NetlinkSocket(loadAddon(first), NETLINK_ROUTE, { netns: '/nonexistent' }).request(ALL_LINKS, countLinks),
    { code: 'ENOENT' },
  );
  t.end();
});

t.test('the rest of an answer that nobody waited for is not taken for the next one’s', { skip }, (t) => {
  const addon = loadAddon(first);
  const fd = addon.open(NETLINK_ROUTE, undefined);
  const reply = Buffer.alloc(1 << 16);
  // No time at all: sent, and answered after we left.
  addon.exchange(
    fd,
    encodeMessage({ type: 0xfff0, flags: NLM_F_REQUEST, payload: Buffer.alloc(16) }, 1),
    Buffer.alloc(0),
    0,
  );
  const length = addon.exchange(fd, encodeMessage(ALL_LINKS, 2), reply, 100);
  t.ok(length > 0);
  t.equal(reply.readUInt32LE(8), 2);
  addon.close(fd);
  t.end();
});

t.test('wrong arguments are errors, not crashes', { skip }, (t) => {
  const addon = loadAddon(first) as unknown as Record<string, (...all: unknown[]) => number>;
  const { open, exchange, close } = addon;
  const request = encodeMessage(ALL_LINKS, 1);
  t.throws(() => open?.('12'), TypeError);
  t.throws(() => open?.(0, 7), TypeError);
  t.throws(() => open?.(0, '/'.repeat(300)), TypeError);
  t.throws(() => exchange?.(1, 'request', Buffer.alloc(1), 1), TypeError);
  t.throws(() => exchange?.(1, request, request, -1), TypeError);
  t.throws(() => exchange?.(1, request, request, 10_001), TypeError);
  t.throws(() => close?.(), TypeError);
  t.equal(exchange?.(-1, request, Buffer.alloc(1), 1), -9, 'EBADF');
  t.equal(exchange?.(-1, Buffer.alloc(3), Buffer.alloc(1), 1), -22, 'EINVAL: no header');
  t.equal(open?.(31, undefined), -93, 'EPROTONOSUPPORT');
  t.end();
});
t.test('a file that is no addon is an error that names it', (t) => {
  const path = join(t.testdir({ 'netlink.node': 'nothing' }), 'netlink.node');
  t.throws(() => loadAddon(path), { message: /netlink\.node/ });
  t.match(compiledAddon(), /node-netlink\/build\/netlink\.node$/);
  t.end();
});

t.test('retries', (t) => {
  /** Answers with the results in turn, then with the end of an empty dump. */
  const standIn = (...results: readonly number[]) => {
    const calls: string[] = [];
    const left = [...results];
    const addon: Addon = {
      open: () => calls.push('open'),
      close: () => calls.push('close'),
      exchange: (_fd, request, reply) => {
        calls.push(`ask ${reply.length}`);
        const result = left.shift();
        if (result !== undefined) return result;
        return encodeMessage({ type: 3, flags: 2, payload: Buffer.alloc(4) }, request.readUInt32LE(8)).copy(reply);
      },
    };
    return { calls, socket: new NetlinkSocket(addon, NETLINK_ROUTE) };
  };
  const again = standIn(ERRNO.ENOBUFS, ERRNO.EINTR);
  t.equal(again.socket.request(ALL_LINKS, countLinks), 0);
  t.same(again.calls.filter((call) => call === 'open').length, 3, 'each time on a new socket');
  const growing = standIn(ERRNO.EMSGSIZE);
  t.equal(growing.socket.request(ALL_LINKS, countLinks), 0);
  t.same(growing.calls, ['open', 'ask 262144', 'close', 'open', 'ask 1048576']);
  const never = standIn(...Array<number>(20).fill(ERRNO.ENOBUFS));
  t.throws(() => never.socket.request(ALL_LINKS, countLinks), { code: 'ENOBUFS' });
  t.equal(never.calls.filter((call) => call.startsWith('ask')).length, 6, 'but not for ever');
  for (const code of ['EPERM', 'ETIMEDOUT'] as const) {
    const refused = standIn(ERRNO[code]);
    t.throws(() => refused.socket.request(ALL_LINKS, countLinks), { code });
    t.same(refused.calls, ['open', 'ask 262144', 'close'], 'no use to try again');
  }
  t.end();
});
