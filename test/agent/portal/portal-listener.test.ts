import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import t from 'tap';
import { PortalListener } from '../../../agent/portal/portal-listener.ts';
import { AgentScene } from '../../support/agent-scene.ts';

/** A port that is free on the loopback addresses now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

async function listening(addresses: { list: readonly string[] | Error }) {
  const scene = new AgentScene();
  const port = await freePort();
  const sink: Server = createServer((_request, response) => response.end('portal'));
  const read = () => {
    if (addresses.list instanceof Error) throw addresses.list;
    return addresses.list;
  };
  const listener = new PortalListener({ sink, port, addresses: read, log: scene.log });
  await listener.start();
  return { scene, port, sink, listener };
}

async function answers(host: string, port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } });
    return (await response.text()) === 'portal';
  } catch {
    return false;
  }
}

t.test('it listens on the given addresses and on no other', async (t) => {
  const { port, listener } = await listening({ list: ['127.0.0.2', '127.0.0.3'] });
  t.teardown(() => listener.close());
  t.ok(await answers('127.0.0.2', port));
  t.ok(await answers('127.0.0.3', port));
  t.notOk(await answers('127.0.0.1', port));
  t.notOk(await answers('127.0.0.4', port));
});

t.test('addresses that come are taken up, those that go are let go', async (t) => {
  const addresses: { list: readonly string[] | Error } = { list: ['127.0.0.2'] };
  const { port, listener } = await listening(addresses);
  t.teardown(() => listener.close());
  addresses.list = ['127.0.0.3'];
  await listener.rebind();
  t.notOk(await answers('127.0.0.2', port));
  t.ok(await answers('127.0.0.3', port));
});

t.test('an address that cannot be bound yet is tried again, and does not keep the others waiting', async (t) => {
  const addresses: { list: readonly string[] | Error } = { list: ['192.0.2.1', '127.0.0.2'] };
  const { scene, port, listener } = await listening(addresses);
  t.teardown(() => listener.close());
  t.ok(await answers('127.0.0.2', port));
  const refusals = () => scene.events().filter((event) => event === 'portal-not-listening').length;
  t.equal(refusals(), 1);
  await listener.rebind();
  t.equal(refusals(), 2);
});

t.test('when the addresses cannot be read everything stays as it is', async (t) => {
  const addresses: { list: readonly string[] | Error } = { list: ['127.0.0.2'] };
  const { scene, port, listener } = await listening(addresses);
  t.teardown(() => listener.close());
  addresses.list = new Error('too many open files');
  await listener.rebind();
  t.ok(await answers('127.0.0.2', port));
  t.ok(scene.events().includes('portal-addresses-not-read'));
});

t.test('close() does not wait for a connection that stays open', async (t) => {
  const { port, listener } = await listening({ list: ['127.0.0.2'] });
  const socket = connect(port, '127.0.0.2');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  listener.close();
  t.notOk(await answers('127.0.0.2', port));
  await listener.rebind();
  t.notOk(await answers('127.0.0.2', port), 'nothing is bound any more');
});
