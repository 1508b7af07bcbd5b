import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { EXIT } from '../../../agent/cli/command.ts';
import { openJsonFromRequest, openRequestFrom, secretKeyFromText } from '../../../captive-portal/page/wallet.ts';
import { type TermsJson, termsFromJson, type ViewJson } from '../../../captive-portal/page/wire.ts';
import { buildPage } from '../../../tools/build-page.ts';
import { runLine } from './recording-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'preview-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function configFile(lines: readonly string[]): string {
  const path = join(folder, 'shareagent');
  writeFileSync(
    path,
    ['config portal', ...lines, 'config package', "\toption name 'Tea'", '\toption price 5'].join('\n'),
  );
  return path;
}

t.test("the preview is the owner's page, and everything on it works", async (t) => {
  await buildPage();
  writeFileSync(join(folder, 'logo.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, 'terms.txt'), 'Be kind.\n');
  writeFileSync(join(folder, 'terms.es.txt'), 'Sé amable.');
  const path = configFile(["\toption name 'Café'", "\toption colour '#8a1c4a'", `\toption folder '${folder}'`]);
  const stop = new AbortController();
  const story = async (line: string): Promise<void> => {
    const url = /http:\S+:\d+\//.exec(line)?.[0] ?? '';
    const get = async (at: string) => await fetch(new URL(at, url));
    const page = await (await get('/?lang=es')).text();
    t.match(page, '<h1><bdi>Café</bdi></h1>');
    t.match(page, 'Sé amable.');
    t.match(page, '<img src="/logo"');
    t.equal((await get('/logo')).headers.get('content-type'), 'image/svg+xml');
    t.match(await (await get('/page.css')).text(), '--accent:#8a1c4a');
    t.match(await (await get('/?lang=fr')).text(), 'Be kind.');
    const terms = termsFromJson((await (await get('/api/quote')).json()) as TermsJson);
    const secretKey = secretKeyFromText('ABCDE-FGHJK-MNPQR-STVWX') as Uint8Array;
    const salt = `0x${'11'.repeat(32)}` as const;
    const made = openRequestFrom({ terms, secretKey, deposit: 50_000n, firstAmount: 50_000n, mode: 'hold', salt });
    if (!made.ok) throw new Error(made.reason);
    const post = async (at: string, body?: object) =>
      (await (
        await fetch(new URL(at, url), {
          method: 'POST',
          ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
        })
      ).json()) as ViewJson;
    t.match(await post('/api/open', openJsonFromRequest(made.request)), { phase: 'active', isOnline: true });
    t.match(await post('/api/leave'), { phase: 'closing', isOnline: false });
  };
  let told: Promise<void> = Promise.resolve();
  const print = (line: string): void => {
    told = story(line).finally(() => stop.abort());
  };
  const { exitCode } = await runLine(['portal', 'preview', '--port', '0', '--config', path], {
    print,
    signal: stop.signal,
  });
  await told;
  t.equal(exitCode, EXIT.ok);
});

t.test('a wrong command line or configuration is named', async (t) => {
  t.match(await runLine(['portal']), { exitCode: EXIT.usage, err: /portal takes: preview/ });
  t.match(await runLine(['portal', 'preview', '--port', 'x']), { exitCode: EXIT.usage, err: /--port must be from 0/ });
  t.match(await runLine(['portal', 'preview', '--listen', 'lan']), { exitCode: EXIT.usage, err: /IPv4 address/ });
  const path = configFile(["\toption colour '#ffd166'"]);
  t.match(await runLine(['portal', 'preview', '--config', path]), {
    exitCode: EXIT.failed,
    out: /colour: must be.*No preview/s,
  });
  const right = configFile([]);
  const nowhere = await runLine(['portal', 'preview', '--config', right, '--listen', '192.0.2.1']);
  t.match(nowhere, { exitCode: EXIT.failed, err: /Cannot serve on 192\.0\.2\.1:8080/ });
});
