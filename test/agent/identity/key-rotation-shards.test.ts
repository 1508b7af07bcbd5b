/** A router changes its key where the collector is several processes, and the successor is another one's than the old key. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { deviceSigner } from '../../../agent/adapters/device-key.ts';
import { uploaderFrom } from '../../../agent/adapters/uploader.ts';
import { rotateKey } from '../../../agent/cli/rotate-key.ts';
import { shardOf } from '../../../fleet/shard.ts';
import { hexFromBytes } from '../../../protocol/hex.ts';
import { COLLECTOR } from '../../fleet/open-collector.ts';
import { attested, type Desk, type Key, openDesk } from '../../fleet/registry-desk.ts';
import { testKey } from '../../support/protocol-arbitraries.ts';
import { RotationRouter } from './rotation-router.ts';
import '../../support/own-testdir.ts';

const keyOf = (shard: number, name: string): Key =>
  [1, 2, 3, 4, 5, 6, 7, 8].map((i) => testKey(`${name} ${i}`)).find(({ address }) => shardOf(address, 2) === shard) ??
  testKey(name);
const OLD = keyOf(0, 'old');
const NEW = keyOf(1, 'new');

async function world(test: Test) {
  const root = test.testdir();
  const desks: Desk[] = [];
  for (const index of [0, 1]) {
    const directory = join(root, `shard-${index}`);
    mkdirSync(directory);
    const desk = await openDesk(test, directory, { index, count: 2 });
    test.teardown(desk.close);
    desks.push(desk);
  }
  const [first, second] = desks as [Desk, Desk];
  const [url0, url1] = [await listening(first), await listening(second)];
  first.enrol(OLD, attested(OLD));
  const routerBy = (name: string, [collectorUrl = '', ...backupUrls]: readonly string[]) => {
    const router = new RotationRouter(join(root, name), { key: OLD, collector: COLLECTOR, collectorUrl, backupUrls });
    writeFileSync(`${router.keyPath}.next`, `${hexFromBytes(NEW.secretKey)}\n`, { mode: 0o600 });
    return router;
  };
  return { first, second, url0, url1, routerBy };
}

const listening = ({ app }: Desk) => app.listen({ host: '127.0.0.1', port: 0 });
const headOf = async ({ config, keyPath }: RotationRouter) =>
  await uploaderFrom(config, deviceSigner(keyPath))?.head?.();

t.test('told to the process that keeps the old chain, and gone on with at the other one', async (t) => {
  const { first, second, url0, url1, routerBy } = await world(t);
  t.same([shardOf(OLD.address, 2), shardOf(NEW.address, 2)], [0, 1]);
  const router = routerBy('router', [url1, url0]);
  t.equal(await router.prove(), 'valid', 'the first way says 421, the second takes it');
  t.match((await rotateKey(router.config, true)).document, {
    device: OLD.address,
    successor: NEW.address,
    nextSeq: 1n,
  });
  const head = await headOf(router);
  t.match(head, { ok: true, head: { proof: { device: OLD.address, seq: 0n }, receipt: { verdict: 'valid' } } });
  t.equal(await router.prove(), 'valid');
  t.match(first.store.verdicts(OLD.address, 0n, 9), [{ seq: 0n, verdict: 'valid' }]);
  t.match(second.store.verdicts(NEW.address, 0n, 9), [{ seq: 1n, verdict: 'valid' }]);
  t.match(await headOf(router), { ok: true, head: { proof: { device: NEW.address, seq: 1n } } });
  t.same(first.store.verdicts(NEW.address, 0n, 9), []);
});

t.test('a router that knows only the other process is told so, and no empty chain is shown to it', async (t) => {
  const { url0, url1, routerBy } = await world(t);
  t.equal(await routerBy('before', [url0]).prove(), 'valid');
  const lost = routerBy('router', [url1]);
  t.match(await headOf(lost), { ok: false, message: /421.*Shard 0 keeps the chain/ }, 'nothing is signed anew');
  await t.rejects(rotateKey(lost.config, false), /421.*proofs\.collector_backup.*old key stays/s);
  t.equal(lost.addressIn(), OLD.address);
  const correction = {
    device: OLD.address,
    fromSeq: 0n,
    toSeq: 0n,
    bootS: 1n,
    statement: `0x${'00'.repeat(32)}`,
  } as const;
  const told = await uploaderFrom(lost.config, deviceSigner(lost.keyPath))?.correct?.({
    ...correction,
    signature: `0x${'11'.repeat(64)}`,
  });
  t.match(told, { ok: false, message: /421/ }, 'nor is a clock corrected where there is no chain');
});
