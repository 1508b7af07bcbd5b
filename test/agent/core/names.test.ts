import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import type { IpAddress } from '../../../agent/core/model.ts';
import { isIpv6, isLinkLocal, parseDeviceName, parseIp, parseMac } from '../../../agent/core/names.ts';

/** What nobody but an attacker sends, in every place where a name is expected. */
const HOSTILE = [
  '',
  ' ',
  '-h',
  '--help',
  'a;accept',
  'x"y',
  "x'y",
  'br-lan }',
  '{ accept }',
  'a b',
  'a\tb',
  'br-lan\n',
  '\nbr-lan',
  'br-lan\0',
  '\0',
  '$(reboot)',
  '`reboot`',
  'a|b',
  'a&b',
  'a>b',
  'a/b',
  'a\\b',
  '../../etc/passwd',
  '.',
  '..',
  '*',
  'wlan*',
  '@map',
  'a:b',
  'a,b',
  'a=b',
  '#comment',
  'wlän0',
  'ｗlan0',
  'wlan0\u202e',
  '😀',
  '__proto__;',
  'x'.repeat(16),
  'x'.repeat(100_000),
];

for (const text of HOSTILE) {
  t.test(`${JSON.stringify(text).slice(0, 40)} is neither interface, MAC nor address`, (t) => {
    t.equal(parseDeviceName(text), undefined);
    t.equal(parseMac(text), undefined);
    t.equal(parseIp(text), undefined);
    t.end();
  });
}

for (const text of ['br-lan', 'br-guest.10', 'phy0-ap0', 'wlan0', 'eth0_1', '_', 'x'.repeat(15), '0']) {
  t.test(`${text} is an interface name`, (t) => {
    t.equal(parseDeviceName(text), text);
    t.end();
  });
}

t.test('whatever passes as an interface name is safe in an nft rule and on a command line', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
      const name = parseDeviceName(text);
      return name === undefined || (name === text && /^[\w.][\w.-]{0,14}$/.test(name));
    }),
  );
  t.end();
});

const MACS = [
  ['aa:bb:cc:00:00:01', 'aa:bb:cc:00:00:01'],
  ['AA:BB:CC:00:00:01', 'aa:bb:cc:00:00:01'],
  ['aabbcc000001', 'aa:bb:cc:00:00:01'],
  ['AABBCC000001', 'aa:bb:cc:00:00:01'],
  ['02:00:00:00:00:00', '02:00:00:00:00:00'],
] as const;
for (const [text, mac] of MACS) {
  t.test(`${text} is the MAC ${mac}`, (t) => {
    t.equal(parseMac(text), mac);
    t.end();
  });
}

const NO_MACS = [
  'ff:ff:ff:ff:ff:ff',
  '01:00:5e:00:00:01',
  '33:33:00:00:00:01',
  '00:00:00:00:00:00',
  'aa:bb:cc:00:00',
  'aa:bb:cc:00:00:01:02',
  'aa-bb-cc-00-00-01',
  'aa:bb:cc:00:00:0g',
  'a:bb:cc:00:00:001',
  'aa:bb:cc:00:00:01 ',
  'aabbcc00000',
  'aabbcc0000010',
  'aa:bbcc:00:00:01',
];
for (const text of NO_MACS) {
  t.test(`${text} is no station's MAC`, (t) => {
    t.equal(parseMac(text), undefined);
    t.end();
  });
}

for (const text of ['10.0.0.1', '192.168.8.20', '100.64.0.1', '223.255.255.255', '1.1.1.1', '169.254.0.9']) {
  t.test(`${text} is a guest's IPv4 address`, (t) => {
    t.equal(parseIp(text), text);
    t.notOk(isIpv6(text as IpAddress));
    t.end();
  });
}

const NO_IPV4 = [
  '0.0.0.0',
  '0.1.2.3',
  '224.0.0.1',
  '239.255.255.250',
  '255.255.255.255',
  '256.1.1.1',
  '1.1.1',
  '1.1.1.1.1',
  '01.1.1.1',
  '1.1.1.010',
  '1.1.1.1/32',
  '1.1.1.1-2.2.2.2',
  '0x1.1.1.1',
  '16843009',
  ' 1.1.1.1',
  '1.1.1.1\n',
  '１.1.1.1',
];
for (const text of NO_IPV4) {
  t.test(`${JSON.stringify(text)} is no unicast IPv4 address`, (t) => {
    t.equal(parseIp(text), undefined);
    t.end();
  });
}

// The first eight are the examples of RFC 5952, sections 1 and 4.
const IPV6 = [
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
  ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
  ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:1:2:3:4:5:0', '2001:db8:1:2:3:4:5:0'],
  ['fe80::1', 'fe80::1'],
  ['fd00::', 'fd00::'],
  ['1::', '1::'],
  ['::2', '::2'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::ffff:192.168.0.1', '192.168.0.1'],
  ['::FFFF:192.168.0.1', '192.168.0.1'],
  ['::ffff:c0a8:1', '192.168.0.1'],
  ['0:0:0:0:0:ffff:c0a8:0001', '192.168.0.1'],
] as const;
for (const [text, canonical] of IPV6) {
  t.test(`${text} is the address ${canonical}`, (t) => {
    t.equal(parseIp(text), canonical);
    t.equal(isIpv6(canonical as IpAddress), canonical.includes(':'));
    t.end();
  });
}

const NO_IPV6 = [
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  'ff02::1',
  'ff00::',
  'ffff::1',
  ':',
  ':::',
  '1::2::3',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  '12345::',
  'g::',
  ':1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:',
  'fe80::1%eth0',
  'fe80::1/64',
  '[fe80::1]',
  '2001:db8::192.168.0.1',
  '::ffff:256.0.0.1',
  '::ffff:0.0.0.0',
  '::ffff:0:0',
  '::ffff:e000:1',
  `${'0'.repeat(50)}::1`,
];
for (const text of NO_IPV6) {
  t.test(`${text} is no unicast IPv6 address`, (t) => {
    t.equal(parseIp(text), undefined);
    t.end();
  });
}

t.test('every IPv6 spelling of an address becomes the same canonical text, and that is read as itself', (t) => {
  const anyGroups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(anyGroups, (groups) => {
      const plain = groups.map((group) => group.toString(16)).join(':');
      const padded = groups.map((group) => group.toString(16).padStart(4, '0').toUpperCase()).join(':');
      const canonical = parseIp(plain);
      t.equal(parseIp(padded), canonical);
      if (canonical === undefined) return;
      t.equal(parseIp(canonical), canonical);
      t.equal(new URL(`http://[${plain}]`).hostname, isIpv6(canonical) ? `[${canonical}]` : `[${urlMapped(groups)}]`);
    }),
  );
  t.end();
});

/** The URL standard has no mapped addresses: it keeps them in hex. */
function urlMapped(groups: readonly number[]): string {
  return `::ffff:${groups
    .slice(6)
    .map((group) => group.toString(16))
    .join(':')}`;
}

t.test('no text makes the address parser throw, and what it accepts is an address to Node as well', (t) => {
  const anyText = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.]{0,45}$/));
  fc.assert(
    fc.property(anyText, (text) => {
      const address = parseIp(text);
      return address === undefined || (isIpv6(address) ? isIPv6(address) : isIPv4(address));
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('link-local addresses are fe80::/10 and 169.254.0.0/16, and no others', (t) => {
  for (const text of ['fe80::1', 'fe8f::1', 'febf:ffff::1', '169.254.1.1']) t.ok(isLinkLocal(text as IpAddress), text);
  for (const text of ['fec0::1', 'fe7f::1', 'fe8::1', 'feb::1', 'fd00::1', '169.253.1.1', '16.9.254.1']) {
    t.notOk(isLinkLocal(text as IpAddress), text);
  }
  t.end();
});
