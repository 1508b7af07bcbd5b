/** When a device key cannot be changed now: each time it is said what there is, what to do, and nothing has been touched. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import type { CommandIo } from '../../../agent/cli/command.ts';
import { identityCommand } from '../../../agent/cli/identity-command.ts';
import { rotateKey } from '../../../agent/cli/rotate-key.ts';
import type { JournalEntry } from '../../../agent/ports.ts';
import { testKey } from '../../support/protocol-arbitraries.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { activeChannel } from '../adapters/journal/open-journal.ts';
import { RotationRouter } from '../identity/rotation-router.ts';

const KEY = testKey('router');

function bareRouter(test: Test): RotationRouter {
  const collectorUrl = 'http://127.0.0.1:1';
  return new RotationRouter(temporaryDirectory(test), { key: KEY, collector: testKey('collector'), collectorUrl });
}

function untouched(test: Test, router: RotationRouter): void {
  test.equal(router.addressIn(), KEY.address);
  const left = readdirSync(dirname(router.keyPath)).filter((name) => /^(device\.key.|rotation)/.test(name));
  test.strictSame(left, [], 'no key was made, nothing was signed');
}

async function written(router: RotationRouter, entries: readonly JournalEntry[]): Promise<void> {
  const journal = new SqliteJournal({ path: router.journalPath });
  await journal.commit(entries);
  journal.close();
}

t.test('the key is in another process, which is asked for nothing', async (t) => {
  const router = bareRouter(t);
  const config = { ...router.config, storage: { ...router.config.storage, signerSocket: '/run/signer.sock' } };
  await t.rejects(rotateKey(config, false), {
    code: 'key-elsewhere',
    message:
      /held by the process at \/run\/signer\.sock.*deliver all proofs.*stop it, change the key there.*shareagent enrol/,
  });
  untouched(t, router);
});

t.test('the agent runs, and answers', async (t) => {
  const router = bareRouter(t);
  const socketPath = join(dirname(router.keyPath), 'a.sock');
  const server = createServer((_request, response) => response.end('{}')).listen(socketPath);
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { configPath } = router;
  const rotate = identityCommand.run(
    { operands: ['rotate'], flags: {}, isJson: false, configPath, socketPath },
    {} as CommandIo,
  );
  await t.rejects(rotate, { code: 'agent-runs', exitCode: 1, message: /nobody pays .* service shareagent stop/ });
  untouched(t, router);
});

t.test('the agent runs, and does not answer: it has the journal', async (t) => {
  const router = bareRouter(t);
  const journal = new SqliteJournal({ path: router.journalPath });
  t.teardown(() => journal.close());
  await t.rejects(rotateKey(router.config, false), {
    code: 'agent-runs',
    message: /An agent runs with the journal .*ledger\.db\. Stop it first/,
  });
  untouched(t, router);
});

t.test('a channel is open, whose money only the old key can claim', async (t) => {
  const router = bareRouter(t);
  const channel = activeChannel(1_000n);
  await written(router, [{ kind: 'channel', channel }]);
  await t.rejects(rotateKey(router.config, false), {
    code: 'not-at-rest',
    message: /: 1 channel that only the old key can settle\. Start the agent, wait until/,
  });
  await written(router, [{ kind: 'channel', channel: { ...channel, phase: 'closing' } }]);
  await t.rejects(rotateKey(router.config, false), { code: 'not-at-rest' }, 'nor while it is being closed');
  untouched(t, router);
});

t.test('a proof is signed and not acknowledged, an interval not signed', async (t) => {
  const router = bareRouter(t);
  await written(router, [
    { kind: 'proof', ...router.seal() },
    { kind: 'draft', run: 'r', body: new Uint8Array(8) },
  ]);
  await t.rejects(rotateKey(router.config, false), {
    code: 'not-at-rest',
    message: /: 2 proofs that the collector has not acknowledged\./,
  });
  untouched(t, router);
});
