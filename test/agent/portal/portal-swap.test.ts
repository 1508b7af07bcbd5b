import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import t from 'tap';
import { PortalSwap } from '../../../agent/portal/portal-swap.ts';

function portals() {
  const log: string[] = [];
  let built = 0;
  const swap = new PortalSwap(() => {
    built += 1;
    const name = `portal ${built}`;
    const server = new EventEmitter();
    for (const event of ['listening', 'connection']) server.on(event, () => log.push(`${name} ${event}`));
    return {
      server,
      ready: () => Promise.resolve(log.push(`${name} ready`)),
      close: () => Promise.resolve(log.push(`${name} closed`)),
    };
  });
  return { swap, log };
}

t.test('connections go to the portal of the moment, and the one before is closed', async (t) => {
  const { swap, log } = portals();
  const early = new Socket();
  t.notOk(swap.emit('connection', early));
  t.ok(early.destroyed, 'nobody is there yet');
  await swap.renew();
  t.ok(swap.emit('connection', new Socket()));
  await swap.renew();
  t.ok(swap.emit('connection', new Socket()));
  await swap.close();
  t.same(log, [
    'portal 1 ready',
    'portal 1 listening',
    'portal 1 connection',
    'portal 2 ready',
    'portal 2 listening',
    'portal 1 closed',
    'portal 2 connection',
    'portal 2 closed',
  ]);
  t.notOk(swap.emit('connection', new Socket()));
});

t.test(
  'two changes at once are two portals one after the other; one that cannot be built keeps the old one',
  async (t) => {
    const { swap, log } = portals();
    await Promise.all([swap.renew(), swap.renew()]);
    t.equal(log.filter((line) => line.endsWith('closed')).join(), 'portal 1 closed');
    let isBroken = false;
    const fragile = new PortalSwap(() => {
      if (isBroken) throw new Error('no page');
      return { server: new EventEmitter(), ready: () => Promise.resolve(), close: () => Promise.resolve() };
    });
    await fragile.renew();
    isBroken = true;
    await t.rejects(fragile.renew(), /no page/);
    isBroken = false;
    await fragile.renew();
    t.pass('and the next one is built');
  },
);
