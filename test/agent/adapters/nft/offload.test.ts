/** Flow offload takes packets past the meter; it must be seen whichever way nft writes it. */
import t from 'tap';
import { offloadFromListing } from '../../../../agent/adapters/nft/offload.ts';
import { device } from '../../../support/nft-grants.ts';

const PORTS = [device('br-guest'), device('phy0-ap1')];

function flowtable(dev: string | readonly string[]) {
  return { flowtable: { family: 'inet', name: 'ft', table: 'fw4', handle: 3, hook: 'ingress', prio: 0, dev } };
}

t.test('no flowtable, or one without devices, is no offload', (t) => {
  t.same(offloadFromListing([], PORTS), { offloaded: false, which: [] });
  t.same(offloadFromListing([{ table: { family: 'inet', name: 'fw4' } }], PORTS), { offloaded: false, which: [] });
  t.same(offloadFromListing([flowtable([])], PORTS), { offloaded: false, which: [] });
  t.end();
});

t.test('a flowtable names the guests’ ports that are in it', (t) => {
  t.same(offloadFromListing([flowtable(['wan', 'phy0-ap1'])], PORTS), {
    offloaded: true,
    which: ['inet fw4 ft on phy0-ap1'],
  });
  t.end();
});

t.test('a flowtable on the uplink alone is offload too, also where nft writes one device without a list', (t) => {
  t.same(offloadFromListing([flowtable('wan')], PORTS), { offloaded: true, which: ['inet fw4 ft on wan'] });
  t.same(offloadFromListing([flowtable(['lan1', 'wan'])], []), {
    offloaded: true,
    which: ['inet fw4 ft on lan1, wan'],
  });
  t.end();
});

t.test('a flowtable that is not an object, or devices that are not text, do not throw', (t) => {
  t.same(offloadFromListing([{ flowtable: null }, { flowtable: 'x' }, { flowtable: { dev: [1, null] } }], PORTS), {
    offloaded: false,
    which: [],
  });
  t.end();
});
