/** The portal's certificate as doctor sees it; certificates are made by openssl for each run. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { certificateFindings } from '../../../../agent/cli/doctor/certificate-check.ts';
import type { DoctorProbe } from '../../../../agent/cli/doctor/probe.ts';
import type { AgentConfig } from '../../../../agent/core/config.ts';
import { temporaryDirectory } from '../../../support/temporary-directory.ts';
import { unscriptedProbe } from '../recording-io.ts';

const folder = temporaryDirectory(t);
const HOST = 'portal.example.org';
type Portal = AgentConfig['portal'];

function made(name: string, host = HOST): NonNullable<Portal['tls']> {
  const files = { certPath: join(folder, `${name}.crt`), keyPath: join(folder, `${name}.key`) };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.keyPath];
  const subject = ['-subj', '/CN=x', '-addext', `subjectAltName=DNS:${host}`, '-days', '2', '-out', files.certPath];
  execFileSync('openssl', ['req', '-x509', ...key, ...subject], { stdio: 'ignore' });
  return files;
}

const good = made('good');
const other = made('other', 'elsewhere.example.org');
const fingerprint = new X509Certificate(readFileSync(good.certPath)).fingerprint256;
writeFileSync(join(folder, 'text'), 'no certificate');

type Look = {
  readonly tls?: Portal['tls'];
  readonly shown?: string;
  readonly isRunning?: boolean;
  readonly inDays?: number;
};

async function look({ tls = good, shown, isRunning = true, inDays = 0 }: Look) {
  const probe: DoctorProbe = {
    ...unscriptedProbe,
    text: (path) => Promise.resolve(path.endsWith('none') ? undefined : readFileSync(path, 'utf8')),
    wallS: () => Date.now() / 1000 + inDays * 86_400,
    shownCertificate: () => Promise.resolve(shown),
  };
  const portal = { host: HOST, port: 2080, tls } as unknown as Portal;
  const [finding, ...more] = await certificateFindings(probe, portal, isRunning);
  t.same(more, []);
  return finding;
}

t.test('one that the running agent shows is fine, and so is a good one while no agent runs', async (t) => {
  t.match(await look({ shown: fingerprint }), { name: 'certificate', status: 'ok', detail: /good\.crt, until 20/ });
  t.match(await look({ isRunning: false }), { status: 'ok' });
});

t.test('one that lies where the jail does not show it is told, with what to do', async (t) => {
  const unread = await look({});
  t.match(unread, { status: 'warn', detail: /the running agent has not read it; the portal speaks http only/ });
  t.match(unread?.fix, 'chown root:shareagent');
  t.match(unread?.fix, 'service shareagent restart');
  t.match(await look({ shown: 'AB:CD' }), { status: 'warn', detail: /the running agent shows another/ });
});

t.test('what no phone would take is told', async (t) => {
  const cases: readonly (readonly [Look, RegExp])[] = [
    [{ tls: { ...good, certPath: '/none' } }, /^\/none cannot be read/],
    [{ tls: { ...good, keyPath: '/none' } }, /^\/none cannot be read/],
    [{ tls: { ...good, certPath: join(folder, 'text') } }, /is not PEM/],
    [{ tls: { ...good, keyPath: join(folder, 'text') } }, /is not PEM/],
    [{ tls: { ...good, keyPath: other.keyPath } }, /does not belong to portal\.tls_key/],
    [{ tls: other }, /is not for portal\.example\.org/],
    [{ inDays: 3 }, /has been out of date since 20/],
    [{ inDays: -1 }, /is good from 20.* only; is the clock right/],
  ];
  for (const [given, detail] of cases) {
    const finding = await look({ ...given, shown: fingerprint });
    t.match(finding, { status: 'warn', detail });
    t.ok((finding?.fix ?? '').length > 0);
  }
});

t.test('without one in the configuration there is no line', async (t) => {
  const portal = { host: HOST, port: 2080, tls: undefined } as unknown as Portal;
  t.same(await certificateFindings(unscriptedProbe, portal, true), []);
});
