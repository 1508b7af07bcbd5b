/** Every request of a router is one that the collector has a route for; there is no other word for a path than this list's. */
import t from 'tap';
import { COLLECTOR_REQUESTS } from '../../protocol/collector-requests.ts';
import { openDesk } from '../fleet/registry-desk.ts';
import '../support/own-testdir.ts';

t.test('each has a route', async (t) => {
  const desk = await openDesk(t);
  t.teardown(desk.close);
  await desk.app.ready();
  for (const line of COLLECTOR_REQUESTS) {
    const [method, url] = line.split(' ') as ['GET' | 'POST', string];
    t.ok(desk.app.hasRoute({ method, url }), line);
  }
  t.notOk(desk.app.hasRoute({ method: 'POST', url: '/v1/nothing' }), 'the search works');
  t.equal(new Set(COLLECTOR_REQUESTS).size, COLLECTOR_REQUESTS.length);
});
