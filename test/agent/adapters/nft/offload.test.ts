/** Flow offload takes packets past the meter; it must be seen whichever way nft writes it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { objectsFromAnswer } from '../../../../agent/adapters/nft/nft-runner.ts';
import { offloadFromListing } from '../../../../agent/adapters/nft/offload.ts';
import { readVendorOffloads } from '../../../../agent/adapters/nft/vendor-offload.ts';
import '../../../support/own-testdir.ts';
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

/**
 * What `nft -j list flowtables` prints for the flowtable of fw4's ruleset.uc ("hook ingress priority 0; devices; counter;
 * flags offload"), by flowtable_print_json of nftables 1.0 and 1.1: one device is a text, more are a list, none is no key;
 * neither counter nor flags are there, so that software and hardware look alike.
 */
const FW4 = [
  {
    what: 'software, the devices of all zones',
    dev: '["br-guest", "br-lan", "wan"]',
    which: 'inet fw4 ft on br-guest',
  },
  {
    what: 'hardware, the ports below them',
    dev: '["lan1", "lan2", "phy0-ap1", "wan"]',
    which: 'inet fw4 ft on phy0-ap1',
  },
  { what: 'one device', dev: '"wan"', which: 'inet fw4 ft on wan' },
] as const;

for (const { what, dev, which } of FW4) {
  t.test(`fw4's flowtable as nft lists it: ${what}`, (t) => {
    const answer =
      '{"nftables": [{"metainfo": {"version": "1.1.1", "release_name": "Commodore Bullmoose #2", "json_schema_version": 1}}, ' +
      '{"flowtable": {"family": "inet", "name": "ft", "table": "fw4", "handle": 2, "hook": "ingress", "prio": 0, ' +
      `"dev": ${dev}}}]}`;
    t.same(offloadFromListing(objectsFromAnswer(answer), PORTS), { offloaded: true, which: [which] });
    t.end();
  });
}

t.test('a flowtable whose devices are all gone has no key for them, in newer nft none for its hook either', (t) => {
  const answer = '{"nftables": [{"flowtable": {"family": "inet", "name": "ft", "table": "fw4", "handle": 2}}]}';
  t.same(offloadFromListing(objectsFromAnswer(answer), PORTS), { offloaded: false, which: [] });
  t.end();
});

const ECM_STOPS = ['kernel/debug/ecm/front_end_ipv4_stop', 'kernel/debug/ecm/front_end_ipv6_stop'] as const;
const REFERENCES = 'module/xt_FLOWOFFLOAD/refcnt';
const VENDORS: readonly { what: string; files: Readonly<Record<string, string>>; says: RegExp | undefined }[] = [
  { what: 'a stock kernel', files: { 'module/nf_conntrack/refcnt': '3\n' }, says: undefined },
  {
    what: 'ecm at work',
    files: { 'module/ecm/refcnt': '0\n', [ECM_STOPS[0]]: '0\n', [ECM_STOPS[1]]: '0\n' },
    says: /ecm .*write 1 to/,
  },
  {
    what: 'ecm stopped for IPv4 only',
    files: { 'module/ecm/refcnt': '0\n', [ECM_STOPS[0]]: '1\n', [ECM_STOPS[1]]: '0\n' },
    says: /ecm/,
  },
  {
    what: 'ecm stopped',
    files: { 'module/ecm/refcnt': '0\n', [ECM_STOPS[0]]: '1\n', [ECM_STOPS[1]]: '1\n' },
    says: undefined,
  },
  { what: 'ecm without debugfs', files: { 'module/ecm/refcnt': '0\n' }, says: /ecm/ },
  {
    what: 'HNAT, whose switch cannot be read',
    files: { 'kernel/debug/hnat/hook_toggle': '', 'module/mtkhnat/refcnt': '0' },
    says: /^MediaTek's HNAT [^,]*$/,
  },
  { what: 'shortcut-fe', files: { 'module/shortcut_fe_cm/refcnt': '0\n' }, says: /shortcut-fe/ },
  { what: 'FLOWOFFLOAD loaded and unused', files: { [REFERENCES]: '0\n' }, says: undefined },
  { what: 'FLOWOFFLOAD in a rule', files: { [REFERENCES]: '1\n' }, says: /FLOWOFFLOAD/ },
];

for (const { what, files, says } of VENDORS) {
  t.test(`fast paths of vendors: ${what}`, async (t) => {
    const sysfs = t.testdir({});
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(sysfs, file)), { recursive: true });
      writeFileSync(join(sysfs, file), text);
    }
    const found = (await readVendorOffloads(sysfs)).join(', ');
    if (says === undefined) t.equal(found, '');
    else t.match(found, says);
  });
}
