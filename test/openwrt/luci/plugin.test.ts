/**
 * The rpcd plugin `luci.shareagent`. What can be read off it always; where UCODE names a ucode interpreter (with its
 * module directory beside it), it is run as rpcd runs it, over stand-ins of the modules fs, ubus and uci.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath, URL } from 'node:url';
import t from 'tap';
import { APP_DIRECTORY, appText, pluginText } from './support/app-files.ts';

const UCODE = process.env['UCODE'];
const PLUGIN = fileURLToPath(new URL('root/usr/share/rpcd/ucode/luci.shareagent', APP_DIRECTORY));
const STAND_INS = fileURLToPath(new URL('./support/ucode/', import.meta.url));

type World = {
  readonly installed: boolean;
  readonly boot?: boolean;
  readonly enabled?: string;
  readonly services: unknown;
};

function run(world: World): Readonly<Record<string, unknown>> {
  const args = ['-L', STAND_INS, `${STAND_INS}host.uc`, PLUGIN, JSON.stringify(world)];
  return JSON.parse(execFileSync(UCODE ?? '', args, { encoding: 'utf8' }));
}

t.test('the plugin is short, and nothing of the caller reaches a command', (t) => {
  const text = pluginText();
  t.ok(text.split('\n').length < 100);
  t.strictSame(
    [...text.matchAll(/\b(?:system|popen)\((.*?)\)/g)].map(([, argument]) => argument),
    ['[ INIT, action ]', "'logread -e shareagent 2>/dev/null', 'r'"],
  );
  t.match(text, /!\(request\.args\.name in ACTIONS\)/);
  t.match(appText('Makefile'), /\+rpcd-mod-ucode/);
  t.end();
});

const needsUcode = UCODE === undefined ? { skip: 'UCODE names no ucode interpreter' } : {};

t.test('under ucode it tells whether the service runs, starts it, and reads the end of the log', needsUcode, (t) => {
  const instances = { instance1: { running: true, pid: 2311 } };
  const world = { installed: true, boot: true, enabled: '1', services: { shareagent: { instances } } };
  t.match(run(world), {
    methods: ['service', 'action', 'log'],
    service: { installed: true, boot: true, selling: true, running: true },
    started: { ok: true },
    ran: [
      ['/etc/init.d/shareagent', 'enabled'],
      ['/etc/init.d/shareagent', 'start'],
    ],
    log: { lines: 200, first: 'line 31', longest: 500, readable: true },
  });
  t.end();
});

t.test('under ucode it refuses every action but its five with "invalid argument"', needsUcode, (t) => {
  const { hostile, commands } = run({ installed: true, services: {} });
  t.strictSame(hostile, [2, 2, 2, 2, 2, 2]);
  t.strictSame(commands, ['logread -e shareagent 2>/dev/null']);
  t.end();
});

t.test('under ucode it tells a crash from a service that was never there', needsUcode, (t) => {
  const crashed = { shareagent: { instances: { instance1: { running: false, exit_code: 70 } } } };
  t.match(run({ installed: true, enabled: '1', services: crashed }), {
    service: { installed: true, boot: false, selling: true, running: false, exit_code: 70 },
  });
  for (const [enabled, selling] of Object.entries({ yes: true, on: true, '0': false, no: false }))
    t.match(run({ installed: true, enabled, services: {} }), { service: { selling } }, `enabled '${enabled}'`);
  t.match(run({ installed: false, services: {} }), {
    service: { installed: false, boot: false, selling: false, running: false },
    started: 4,
    ran: [],
  });
  t.end();
});
