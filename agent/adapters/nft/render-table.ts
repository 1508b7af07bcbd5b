/**
 * The rules themselves, as a function of three facts: guest devices, portal port, and whether any session is slowed down.
 *
 * Ways through: whatever comes from or goes to a guest device ends in a chain here that says yes or no; nothing falls
 * through. A yes is not final (fw4's chains come later), a no is. Payment is looked up on every packet; `ct state` never
 * shortens that, only the look at where the packet goes.
 *
 * A lookup with `!=` in a set with counters matches what is absent and counts nothing.
 */
import type { DeviceName } from '../../core/model.ts';
import {
  GARDEN_CAPACITY,
  GARDEN_SECONDS,
  UNBOUND_CAPACITY,
  UNBOUND_SECONDS,
  WATCHED_MACS_CAPACITY,
  WATCHED_MACS_SECONDS,
} from './layout.ts';
import {
  ACCEPT,
  anyDevice,
  concat,
  DROP,
  differs,
  ETHER_SOURCE,
  equals,
  goto,
  IP_DESTINATION,
  IP_SOURCE,
  IP6_DESTINATION,
  IP6_SOURCE,
  jump,
  limitByKey,
  meta,
  oneOf,
  overPacketLimit,
  quotaByKey,
  remember,
  withinOwnLimit,
} from './nft-expr.ts';
import type { Json, JsonObject } from './nft-json.ts';
import {
  answerRules,
  captiveRules,
  dnsPaidRules,
  dnsRules,
  gardenRules,
  ndClaimRules,
  pingRules,
  portalNewRules,
  serviceRules,
} from './render-services.ts';
import { baseChain, grantSet, type SetSpec, type TableSpec } from './table-spec.ts';

export type TableFacts = {
  readonly guestDevices: readonly DeviceName[];
  /** Those of them that exist now, with the numbers that the kernel gave them. */
  readonly guestIndexes: readonly { readonly device: DeviceName; readonly index: number }[];
  /** Ports of the guest bridges, in one order. */
  readonly guestPorts: readonly DeviceName[];
  readonly portalPort: number;
  readonly hasRates: boolean;
  /**
   * True: where a guest's packet goes is checked on every packet. False: until its flow is established; enough as long as
   * the table has stood without a gap, because a flow whose first packet was refused never comes to be established.
   */
  readonly isStrict: boolean;
};

/** Who sends. The address first: nft then tells IPv4 by a comparison of one byte, else by reading the Ethernet header once more. */
const STATION4 = concat(IP_SOURCE, ETHER_SOURCE);
const STATION6 = concat(IP6_SOURCE, ETHER_SOURCE);
const CT_STATE: Json = { ct: { key: 'state' } };
const ESTABLISHED = equals(CT_STATE, 'established');
/** What is paid for passes, and is counted once it has passed its quota. */
const PAID = {
  up4: [quotaByKey(STATION4, 'up4'), equals(ETHER_SOURCE, '@count_up'), ACCEPT],
  up6: [quotaByKey(STATION6, 'up6'), equals(ETHER_SOURCE, '@count_up'), ACCEPT],
  down4: [quotaByKey(IP_DESTINATION, 'down4'), equals(IP_DESTINATION, '@count_down4'), ACCEPT],
  down6: [quotaByKey(IP6_DESTINATION, 'down6'), equals(IP6_DESTINATION, '@count_down6'), ACCEPT],
};

/** Before fw4's filter chains (0) and after conntrack and DNAT. */
const PRIORITY_FILTER = -10;
/** Before fw4's dstnat (-100). */
const PRIORITY_DSTNAT = -110;

/** How often one MAC may have an address remembered for binding. */
const LEARN = { perSecond: 2, burst: 30 };
/** All refusals together; beyond it packets vanish, so that a flood costs the router no answers. */
const REFUSALS = { perSecond: 1_000, burst: 1_000 };

/** What no guest may reach: private, shared, link-local, loopback, protocol, multicast and reserved networks. */
const PRIVATE4 = [
  prefix('0.0.0.0', 8),
  prefix('10.0.0.0', 8),
  prefix('100.64.0.0', 10),
  prefix('127.0.0.0', 8),
  prefix('169.254.0.0', 16),
  prefix('172.16.0.0', 12),
  prefix('192.0.0.0', 24),
  prefix('192.168.0.0', 16),
  prefix('224.0.0.0', 3),
];
/** 64:ff9b::/96 (NAT64) is not among them. */
const PRIVATE6 = [prefix('::', 16), prefix('fc00::', 7), prefix('fe80::', 10), prefix('ff00::', 8)];

/** Metering, enforcement, portal redirection and the router's own services. */
export function renderInetTable(facts: TableFacts): TableSpec {
  return {
    family: 'inet',
    sets: inetSets(facts),
    counters: ['garden'],
    chains: [
      baseChain('guest_forward', 'filter', 'forward', PRIORITY_FILTER, forwardRules(facts)),
      { name: 'from_guest', rules: fromGuestRules(facts) },
      { name: 'destinations', rules: destinationRules(facts) },
      { name: 'to_guest', rules: toGuestRules(facts) },
      { name: 'unpaid', rules: unpaidRules() },
      { name: 'learn', rules: learnRules() },
      { name: 'garden_pass', rules: gardenRules() },
      { name: 'refuse', rules: refuseRules() },
      baseChain('guest_input', 'filter', 'input', PRIORITY_FILTER, [
        perDevice('iifname', facts.guestDevices, 'services'),
      ]),
      { name: 'services', rules: serviceRules(facts.portalPort) },
      { name: 'nd_claims', rules: ndClaimRules() },
      { name: 'dns', rules: dnsRules() },
      { name: 'dns_paid', rules: dnsPaidRules() },
      { name: 'ping', rules: pingRules() },
      { name: 'portal_new', rules: portalNewRules() },
      baseChain('guest_output', 'filter', 'output', PRIORITY_FILTER, [
        perDevice('oifname', facts.guestDevices, 'answers'),
      ]),
      { name: 'answers', rules: answerRules() },
      baseChain('guest_dstnat', 'nat', 'prerouting', PRIORITY_DSTNAT, [
        perDevice('iifname', facts.guestDevices, 'captive'),
      ]),
      { name: 'captive', rules: captiveRules(facts.portalPort) },
    ],
  };
}

function inetSets(facts: TableFacts): SetSpec[] {
  const counter = { stmt: [{ counter: null }] };
  const watched = { size: WATCHED_MACS_CAPACITY, timeout: WATCHED_MACS_SECONDS };
  return [
    { ...grantSet('up4', ['ipv4_addr', 'ether_addr']), map: 'quota' },
    { ...grantSet('up6', ['ipv6_addr', 'ether_addr']), map: 'quota' },
    { ...grantSet('down4', 'ipv4_addr'), map: 'quota' },
    { ...grantSet('down6', 'ipv6_addr'), map: 'quota' },
    { ...grantSet('count_up', 'ether_addr'), ...counter },
    { ...grantSet('count_down4', 'ipv4_addr'), ...counter },
    { ...grantSet('count_down6', 'ipv6_addr'), ...counter },
    grantSet('online', 'ether_addr'),
    grantSet('nd_home', ['ipv6_addr', 'ether_addr']),
    grantSet('nd_owned', 'ipv6_addr'),
    ...(facts.hasRates ? rateMaps() : []),
    { ...grantSet('trial_up4', ['ipv4_addr', 'ether_addr']), map: 'quota' },
    { ...grantSet('trial_up6', ['ipv6_addr', 'ether_addr']), map: 'quota' },
    { ...grantSet('trial_down4', 'ipv4_addr'), map: 'quota' },
    { ...grantSet('trial_down6', 'ipv6_addr'), map: 'quota' },
    { ...grantSet('trial_rate_up', 'ether_addr'), map: 'limit' },
    { ...grantSet('trial_rate_down4', 'ipv4_addr'), map: 'limit' },
    { ...grantSet('trial_rate_down6', 'ipv6_addr'), map: 'limit' },
    { name: 'unbound4', type: ['ether_addr', 'ipv4_addr'], size: UNBOUND_CAPACITY, timeout: UNBOUND_SECONDS },
    { name: 'unbound6', type: ['ether_addr', 'ipv6_addr'], size: UNBOUND_CAPACITY, timeout: UNBOUND_SECONDS },
    { name: 'learn_rate', type: 'ether_addr', ...watched },
    { name: 'dns_rate', type: 'ether_addr', ...watched },
    { name: 'dns_paid_rate', type: 'ether_addr', ...watched },
    { name: 'ping_rate', type: 'ether_addr', ...watched },
    { name: 'portal_rate', type: 'ether_addr', ...watched },
    { name: 'garden4', type: 'ipv4_addr', size: GARDEN_CAPACITY, timeout: GARDEN_SECONDS },
    { name: 'garden6', type: 'ipv6_addr', size: GARDEN_CAPACITY, timeout: GARDEN_SECONDS },
  ];
}

function rateMaps(): SetSpec[] {
  return [
    { ...grantSet('rate_up', 'ether_addr'), map: 'limit' },
    { ...grantSet('rate_down4', 'ipv4_addr'), map: 'limit' },
    { ...grantSet('rate_down6', 'ipv6_addr'), map: 'limit' },
  ];
}

function fromGuestRules(facts: TableFacts): Json[][] {
  const unestablished = differs(CT_STATE, 'established');
  return [
    facts.isStrict ? [jump('destinations')] : [unestablished, jump('destinations')],
    ...(facts.hasRates ? [[limitByKey(ETHER_SOURCE, 'rate_up'), DROP]] : []),
    PAID.up4,
    PAID.up6,
    [goto('unpaid')],
  ];
}

function destinationRules(facts: TableFacts): Json[][] {
  return [
    [equals(meta('oifname'), anyDevice(facts.guestDevices)), DROP],
    [equals(IP_DESTINATION, oneOf(PRIVATE4)), goto('refuse')],
    [equals(IP6_DESTINATION, oneOf(PRIVATE6)), goto('refuse')],
  ];
}

/**
 * A MAC with a session is on trial, or held: then its packets vanish, its flows wait. Anybody else is told at once. Trials
 * come after what is paid: they share a slice of the line, and payers' packets never look at it.
 */
function unpaidRules(): Json[][] {
  return [
    [equals(IP_DESTINATION, '@garden4'), goto('garden_pass')],
    [equals(IP6_DESTINATION, '@garden6'), goto('garden_pass')],
    [differs(ETHER_SOURCE, '@count_up'), goto('refuse')],
    [limitByKey(ETHER_SOURCE, 'trial_rate_up'), DROP],
    [quotaByKey(STATION4, 'trial_up4'), equals(ETHER_SOURCE, '@count_up'), ACCEPT],
    [quotaByKey(STATION6, 'trial_up6'), equals(ETHER_SOURCE, '@count_up'), ACCEPT],
    [withinOwnLimit(ETHER_SOURCE, 'learn_rate', LEARN.perSecond, LEARN.burst), goto('learn')],
    [DROP],
  ];
}

function learnRules(): Json[][] {
  return [
    [remember(concat(ETHER_SOURCE, IP_SOURCE), 'unbound4')],
    [remember(concat(ETHER_SOURCE, IP6_SOURCE), 'unbound6')],
    [DROP],
  ];
}

/** What nobody asked for is dropped before it can be billed. */
function toGuestRules(facts: TableFacts): Json[][] {
  const unasked = { match: { op: 'in', left: { ct: { key: 'state' } }, right: ['invalid', 'new'] } };
  return [
    [unasked, DROP],
    ...(facts.hasRates
      ? [
          [limitByKey(IP_DESTINATION, 'rate_down4'), DROP],
          [limitByKey(IP6_DESTINATION, 'rate_down6'), DROP],
        ]
      : []),
    PAID.down4,
    PAID.down6,
    [equals(IP_SOURCE, '@garden4'), goto('garden_pass')],
    [equals(IP6_SOURCE, '@garden6'), goto('garden_pass')],
    [differs(IP_DESTINATION, '@count_down4'), goto('refuse')],
    [differs(IP6_DESTINATION, '@count_down6'), goto('refuse')],
    [limitByKey(IP_DESTINATION, 'trial_rate_down4'), DROP],
    [limitByKey(IP6_DESTINATION, 'trial_rate_down6'), DROP],
    [quotaByKey(IP_DESTINATION, 'trial_down4'), equals(IP_DESTINATION, '@count_down4'), ACCEPT],
    [quotaByKey(IP6_DESTINATION, 'trial_down6'), equals(IP6_DESTINATION, '@count_down6'), ACCEPT],
    [DROP],
  ];
}

function refuseRules(): Json[][] {
  return [
    [overPacketLimit(REFUSALS.perSecond, REFUSALS.burst), DROP],
    [equals(meta('l4proto'), 'tcp'), { reject: { type: 'tcp reset' } }],
    [{ reject: { type: 'icmpx', expr: 'admin-prohibited' } }],
  ];
}

/**
 * First what nearly all packets are: those of flows that stand, of guests who paid, decided in one rule. All others, and those that
 * find no quota, go the long way, where every question is asked. Devices by number first, which costs a third of a comparison of
 * names; by name too, because a device that is made anew has a new number.
 */
function forwardRules(facts: TableFacts): Json[][] {
  const present = facts.guestIndexes.map(({ device }) => device);
  const byNumber = [perDevice('iif', present, 'from_guest'), perDevice('oif', present, 'to_guest')];
  return [
    ...(present.length === 0 ? [] : [...paidFlowRules(facts, anyDevice(present)), ...byNumber]),
    perDevice('iifname', facts.guestDevices, 'from_guest'),
    perDevice('oifname', facts.guestDevices, 'to_guest'),
  ];
}

/** The same words as in from_guest and to_guest, which these packets would pass anyway. */
function paidFlowRules(facts: TableFacts, devices: Json): Json[][] {
  if (facts.hasRates) return [];
  const fromGuest = [equals(meta('iif'), devices), ESTABLISHED];
  const toGuest = [equals(meta('oif'), devices), ESTABLISHED];
  const up = (rule: readonly Json[]): Json[][] => (facts.isStrict ? [] : [[...fromGuest, ...rule]]);
  return [...up(PAID.up4), [...toGuest, ...PAID.down4], ...up(PAID.up6), [...toGuest, ...PAID.down6]];
}

function perDevice(key: string, devices: readonly DeviceName[], chain: string): Json[] {
  return [equals(meta(key), anyDevice(devices)), goto(chain)];
}

function prefix(addr: string, len: number): JsonObject {
  return { prefix: { addr, len } };
}
