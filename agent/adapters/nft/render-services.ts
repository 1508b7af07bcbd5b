/** What is free: what a guest may ask of the router itself, where its unpaid web page leads, and the walled garden. */
import {
  ACCEPT,
  concat,
  DROP,
  differs,
  ETHER_SOURCE,
  equals,
  goto,
  IP_DESTINATION,
  IP6_DESTINATION,
  IP6_SOURCE,
  isAbove,
  meta,
  oneOf,
  packetLimit,
  payload,
  setMark,
  withinOwnLimit,
} from './nft-expr.ts';
import type { Json, JsonObject } from './nft-json.ts';

/** DNS without payment: enough to open a page, 12 kbit/s for a tunnel. */
const DNS_UNPAID = { perSecond: 3, burst: 40, maxQueryBytes: 136, maxAnswerBytes: 520 };
/** DNS of paid guests is free, so it is bounded as well: a page full of names, not a way around the meter. */
const DNS_PAID = { perSecond: 20, burst: 200 };
/** A page and its parts take six connections, the probes of a phone's apps one each. */
const PORTAL_NEW = { perSecond: 5, burst: 20 };
/** All without a session together: twenty MACs at their own limit, or as many pages opened in one second. */
const PORTAL_NEW_OF_STRANGERS = { perSecond: 100, burst: 200 };
/** As many again for those with a session, paid or on trial: MACs made up by the dozen get none of it. */
const PORTAL_NEW_OF_GUESTS = { perSecond: 100, burst: 200 };
/** Tells fw4 of what was let in here: openwrt/files/usr/share/nftables.d/chain-pre/input/shareagent.nft. */
const PORTAL_MARK = 0x53535041;
/** The walled garden of all guests together, both directions. */
const GARDEN_MEGABYTES_PER_S = 1;
const PING = { perSecond: 5, burst: 10 };

const UDP_PORT = payload('udp', 'dport');
const TCP_PORT = payload('tcp', 'dport');

/** All that a guest may ask of the router itself: addresses, names, the portal, a few pings. */
export function serviceRules(portalPort: number): Json[][] {
  const neighbourDiscovery = ['nd-router-solicit', 'nd-neighbor-solicit', 'nd-neighbor-advert'];
  return [
    [equals(UDP_PORT, oneOf([67, 547])), ACCEPT],
    [equals(payload('icmpv6', 'type'), oneOf(neighbourDiscovery)), goto('nd_claims')],
    [equals(UDP_PORT, 53), goto('dns')],
    [equals(TCP_PORT, 53), goto('dns')],
    [equals(TCP_PORT, portalPort), hasState('new'), goto('portal_new')],
    [equals(TCP_PORT, portalPort), ACCEPT],
    [equals(payload('icmp', 'type'), 'echo-request'), goto('ping')],
    [equals(payload('icmpv6', 'type'), 'echo-request'), goto('ping')],
    [equals({ ct: { key: 'direction' } }, 'reply'), hasState('established'), ACCEPT],
    [hasState('related'), ACCEPT],
    [equals(meta('pkttype'), oneOf(['broadcast', 'multicast'])), DROP],
    [goto('refuse')],
  ];
}

/** An IPv6 address with a session can be claimed by its own MAC only, or the router's neighbour table could be poisoned. */
export function ndClaimRules(): Json[][] {
  return [
    [equals(concat(IP6_SOURCE, ETHER_SOURCE), '@nd_home'), ACCEPT],
    [equals(IP6_SOURCE, '@nd_owned'), DROP],
    [ACCEPT],
  ];
}

/** Without credit DNS is slow and small, and not spoken over TCP: good for names, useless as a tunnel. */
export function dnsRules(): Json[][] {
  return [
    [equals(ETHER_SOURCE, '@online'), goto('dns_paid')],
    [equals(meta('l4proto'), 'tcp'), goto('refuse')],
    [isAbove(payload('udp', 'length'), DNS_UNPAID.maxQueryBytes), DROP],
    [ownLimit('dns_rate', DNS_UNPAID), ACCEPT],
    [DROP],
  ];
}

export function dnsPaidRules(): Json[][] {
  return [[ownLimit('dns_paid_rate', DNS_PAID), ACCEPT], [DROP]];
}

export function pingRules(): Json[][] {
  return [[ownLimit('ping_rate', PING), ACCEPT], [DROP]];
}

/** Long answers only to addresses of a session; the neighbour is not yet known here, so the address must do. */
export function answerRules(): Json[][] {
  const isLong = [equals(payload('udp', 'sport'), 53), isAbove(payload('udp', 'length'), DNS_UNPAID.maxAnswerBytes)];
  return [
    [...isLong, differs(IP_DESTINATION, '@count_down4'), DROP],
    [...isLong, differs(IP6_DESTINATION, '@count_down6'), DROP],
  ];
}

export function captiveRules(portalPort: number): Json[][] {
  const toPortal = { redirect: { port: portalPort } };
  const isForRouter = equals({ fib: { result: 'type', flags: ['daddr'] } }, 'local');
  return [
    [equals(UDP_PORT, 53), { redirect: { port: 53 } }],
    [equals(TCP_PORT, 53), { redirect: { port: 53 } }],
    [isForRouter, equals(TCP_PORT, 80), toPortal],
    [equals(ETHER_SOURCE, '@online'), ACCEPT],
    [equals(IP_DESTINATION, '@garden4'), ACCEPT],
    [equals(IP6_DESTINATION, '@garden6'), ACCEPT],
    [equals(TCP_PORT, 80), toPortal],
  ];
}

/**
 * Only so many new connections to the portal, of one guest and of all: strangers have one share, MACs with a session another, because
 * nobody can tell a stranger from a made-up MAC. fw4 lets in 25 a second from everybody together (its synflood_protect), which five MACs
 * use up: the mark lets these past that limit, where the package's rule in fw4's chain knows it.
 */
export function portalNewRules(): Json[][] {
  const letIn = (of: { readonly perSecond: number; readonly burst: number }): Json[] => [
    ownLimit('portal_rate', PORTAL_NEW),
    packetLimit(of.perSecond, of.burst),
    setMark(PORTAL_MARK),
    ACCEPT,
  ];
  // The set counts what is found in it, so it is asked only for what is not.
  const isStranger = differs(ETHER_SOURCE, '@count_up');
  return [[isStranger, ...letIn(PORTAL_NEW_OF_STRANGERS)], [isStranger, DROP], letIn(PORTAL_NEW_OF_GUESTS), [DROP]];
}

function ownLimit(set: string, limit: { readonly perSecond: number; readonly burst: number }): JsonObject {
  return withinOwnLimit(ETHER_SOURCE, set, limit.perSecond, limit.burst);
}

function hasState(state: string): JsonObject {
  return { match: { op: 'in', left: { ct: { key: 'state' } }, right: state } };
}

export function gardenRules(): Json[][] {
  const rate = { rate: GARDEN_MEGABYTES_PER_S, burst: GARDEN_MEGABYTES_PER_S, per: 'second', inv: true };
  return [
    [{ limit: { ...rate, rate_unit: 'mbytes', burst_unit: 'mbytes' } }, DROP],
    [{ counter: 'garden' }, ACCEPT],
  ];
}
