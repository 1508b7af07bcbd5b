/** A router whose journal was put back from an old copy, beside a sister that knows better: no credit is spent at both. */
import t from 'tap';
import { sisterHttp } from '../../../agent/adapters/sister-http.ts';
import { settled } from '../../support/agent-scene.ts';
import { LAPTOP, PHONE } from '../core/support/story.ts';
import { answered, TwoRouters } from './support/two-routers.ts';

t.test('what was given away after the copy is not served here; it comes home and is charged once', async (t) => {
  const { a, b } = new TwoRouters();
  const { voucher } = await a.paid();
  t.equal(a.download(40_000_000n), 40_000_000n);
  await a.sample();
  await a.driver.close();
  const copy = a.journal.oldCopy();
  a.restart();
  t.match(await b.desk.attach(LAPTOP, await answered(b, LAPTOP)), { ok: true, view: { bytesRemaining: 60_000_000n } });
  a.putBack(copy);
  t.equal(a.desk.view(PHONE).phase, 'pending');
  t.equal(a.download(1n), 0n, 'nothing before the sister was asked');
  await a.opens.lookUp();
  await settled();
  t.equal(a.desk.view(PHONE).phase, 'none');
  t.equal(a.download(1n), 0n);
  a.restart();
  await a.opens.lookUp();
  t.equal(a.driver.state.channels.get(voucher.channelId)?.phase, 'away', 'after another start as well');
  t.equal(b.download(99_000_000n), 60_000_000n, 'the guest goes on where it is');
  await b.sample();
  await b.desk.leave(LAPTOP);
  await b.sample();
  await b.watch.look();
  await a.sample();
  t.same([...a.paidOut.values()], [1_050n], 'open fee, and 100 MB at both routers');
});

t.test('while the sister is out of reach nobody knows: nothing is served until she has answered', async (t) => {
  const { a, b, link } = new TwoRouters();
  await a.paid();
  a.download(40_000_000n);
  await a.sample();
  await a.driver.close();
  const copy = a.journal.oldCopy();
  a.putBack(copy);
  link.isUp = false;
  await a.opens.lookUp();
  t.equal(a.desk.view(PHONE).phase, 'pending');
  t.equal(a.download(1n), 0n);
  link.isUp = true;
  await a.opens.lookUp();
  await settled();
  t.match(a.desk.view(PHONE), { phase: 'active', bytesRemaining: 60_000_000n }, 'she has it not: it is here');
  t.equal(await b.lent.whereabouts(`0x${'ab'.repeat(32)}`), 'here');
});

t.test('a visitor of an old copy that has gone home since is not served twice', async (t) => {
  const { a, b } = new TwoRouters();
  const { voucher } = await a.paid();
  await b.desk.attach(LAPTOP, await answered(b, LAPTOP));
  const copy = b.journal.oldCopy();
  await b.desk.leave(LAPTOP);
  await b.sample();
  const closing = a.chain.onClose;
  await b.watch.look();
  t.equal(closing, undefined);
  b.putBack(copy);
  await b.opens.lookUp();
  await settled();
  t.equal(b.download(1n), 0n);
  t.equal(b.driver.state.channels.get(voucher.channelId)?.phase === 'active', false);
});

t.test('over HTTP: a refusal is an answer, anything else is none', async (t) => {
  const { createServer } = await import('node:http');
  let status = 409;
  const server = createServer((_, reply) => reply.writeHead(status).end(JSON.stringify({ message: 'no' })));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const { a, b } = new TwoRouters();
  a.connect(sisterHttp([{ device: b.address, url: `http://127.0.0.1:${port}/` }]));
  const id = `0x${'ab'.repeat(32)}` as const;
  t.equal(await a.lent.whereabouts(id), 'here');
  for (status of [400, 429, 500, 200]) t.equal(await a.lent.whereabouts(id), 'unknown', `${status}`);
  a.connect(sisterHttp([{ device: b.address, url: 'http://127.0.0.1:1' }]));
  t.equal(await a.lent.whereabouts(id), 'unknown');
});
