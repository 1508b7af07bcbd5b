/** A clone's two proofs, from the collector's list to a file that a third party checks without a network. */
import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { evidenceCommand } from '../../fleet/evidence-command.ts';
import { examineEvidence } from '../../fleet/evidence-file.ts';
import { REGISTRY } from '../support/protocol-arbitraries.ts';
import { FakeRouter } from './fake-router.ts';
import { openForTest, post } from './open-collector.ts';
import '../support/own-testdir.ts';

const CONTRACT = ['--chain-id', `${REGISTRY.chainId}`, '--registry', REGISTRY.registry];
const USAGE = [{ guest: 1, up: 1n, down: 2n, paid: 3n }];

async function run(...args: readonly string[]) {
  const said: string[] = [];
  const noted: string[] = [];
  const output = { print: (text: string) => void said.push(text), note: (text: string) => void noted.push(text) };
  const code = await evidenceCommand(args, output);
  return { code, said: said.join('\n'), noted: noted.join('\n') };
}

/** A collector that has the contradiction of a router and its clone. */
async function cloned(t: Test) {
  const { app } = await openForTest(t);
  const [router, clone] = [new FakeRouter(), new FakeRouter()];
  const original = router.next(USAGE);
  await post(app, original);
  const other = clone.next([{ guest: 2, up: 5n, down: 5n, paid: 1n }]);
  await post(app, other);
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, device: router.key.address, original, other, out: t.testdirName };
}

t.test('exported by one, verified by another; spoilt, it does not hold', async (t) => {
  const { url, device, out } = await cloned(t);
  const exported = await run('export', device, '--collector', url, ...CONTRACT, '--out', out);
  t.match(exported, { code: 0, said: /signed two proofs for epoch 2968, number 0.*\(slashable\)/ });
  const file = exported.said.split(':')[0] as string;
  t.match(await run('verify', file), { code: 0, said: /^holds: device 0x.*\nslashable$/ });
  t.match(await run('verify', file, ...CONTRACT), { code: 0 });
  t.match(JSON.parse((await run('verify', file, '--slash')).said), { first: { seq: '0' }, second: { seq: '0' } });
  const other = ['--chain-id', '1', '--registry', REGISTRY.registry];
  t.match(await run('verify', file, ...other), { code: 1, noted: /on chain 31337/ });
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const spoilt = (change: object) => {
    writeFileSync(`${file}.spoilt`, JSON.stringify({ ...json, ...change }));
    return run('verify', `${file}.spoilt`);
  };
  t.match(await spoilt({ second: { ...json.second, paid: '9' } }), {
    code: 1,
    noted: /not hold: the second.*signed by/,
  });
  t.match(await spoilt({ second: json.first }), { code: 1, noted: /the same proof/ });
  t.match(await spoilt({ chainId: '1' }), { code: 1, noted: /the first proof is signed by/ });
  t.match(await spoilt({ extra: 1 }), { code: 1, noted: /expected/ });
  writeFileSync(`${file}.spoilt`, 'not json');
  t.match(await run('verify', `${file}.spoilt`), { code: 1, noted: /expected/ });
});

const kind = 'ssp-equivocation';

t.test('a fork of the chain is evidence, though no contract can slash for it', (t) => {
  const [router, clone] = [new FakeRouter(), new FakeRouter()];
  const [first, next] = [router.next(USAGE).proof, router.next(USAGE).proof];
  clone.next([]);
  const fork = clone.next([]).proof;
  t.match(examineEvidence({ kind, deployment: REGISTRY, first, second: fork }), { ok: true, isSlashable: false });
  t.match(examineEvidence({ kind, deployment: REGISTRY, first: fork, second: first }), {
    ok: true,
    isSlashable: false,
  });
  t.match(examineEvidence({ kind, deployment: REGISTRY, first, second: next }), {
    ok: false,
    message: /do not contradict/,
  });
  const other = new FakeRouter('other').next(USAGE).proof;
  t.match(examineEvidence({ kind, deployment: REGISTRY, first, second: other }), {
    ok: false,
    message: /proofs are of/,
  });
  const again = new FakeRouter().next(USAGE, { epoch: 7n }).proof;
  const finding = examineEvidence({ kind, deployment: REGISTRY, first, second: again });
  t.match(finding, { ok: true, isSlashable: false, message: /in epochs 2968 and 7/ });
  t.end();
});

t.test('wrong arguments are told, an honest device has no evidence', async (t) => {
  const { url } = await cloned(t);
  const honest = new FakeRouter('other').key.address;
  t.match(await run('export', honest, '--collector', url, ...CONTRACT), { code: 1, noted: /no contradiction/ });
  for (const args of [
    [],
    ['export'],
    ['burn', 'x'],
    ['export', 'x'],
    ['export', honest],
    ['export', honest, '--collector', url, '--chain-id', '5'],
    ['export', honest, '--collector', 'http://127.0.0.1:1', ...CONTRACT],
    ['verify', '/nowhere'],
    ['verify', 'a', '--what'],
  ]) {
    t.match(await run(...args), { code: 2, noted: /usage: fleet evidence/ }, args.join(' '));
  }
});
