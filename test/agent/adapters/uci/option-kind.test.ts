import t from 'tap';
import {
  address,
  bytes,
  chainId,
  choice,
  deviceName,
  duration,
  durationText,
  filePath,
  flag,
  hostName,
  httpUrl,
  integer,
  label,
  type OptionKind,
  ssp,
  timeOfDay,
} from '../../../../agent/adapters/uci/option-kind.ts';

type Cases = readonly (readonly [string, unknown])[];

const KINDS: readonly (readonly [string, OptionKind<unknown>, Cases])[] = [
  [
    'flag',
    flag(),
    [
      ['0', false],
      ['1', true],
      ['yes', undefined],
      ['', undefined],
      ['constructor', undefined],
    ],
  ],
  [
    'choice',
    choice('a', 'b'),
    [
      ['a', 'a'],
      ['b', 'b'],
      ['c', undefined],
      ['A', undefined],
    ],
  ],
  [
    'integer',
    integer(5, 20),
    [
      ['5', 5],
      ['20', 20],
      ['4', undefined],
      ['21', undefined],
      ['5.0', undefined],
      ['-5', undefined],
      ['1e1', undefined],
      ['0x6', undefined],
    ],
  ],
  [
    'chainId',
    chainId(),
    [
      ['1', 1n],
      ['31337', 31337n],
      ['0', undefined],
      ['9007199254740991', 9007199254740991n],
      ['9007199254740992', undefined],
      ['x', undefined],
    ],
  ],
  [
    'ssp',
    ssp('0.5', '2', '1'),
    [
      ['0.5', 5_000n],
      ['2', 20_000n],
      ['1 SSP', 10_000n],
      ['0.4999', undefined],
      ['2.0001', undefined],
      ['1.00001', undefined],
      ['1,5', undefined],
      ['-1', undefined],
    ],
  ],
  [
    'bytes',
    bytes(10n, 2_000_000n),
    [
      ['10', 10n],
      ['9', undefined],
      ['1kB', 1_000n],
      ['1 KB', 1_000n],
      ['2MB', 2_000_000n],
      ['2mb', 2_000_000n],
      ['3MB', undefined],
      ['1GB', undefined],
      ['1MiB', undefined],
      ['MB', undefined],
      ['1.5MB', undefined],
    ],
  ],
  [
    'duration',
    duration(60, 172_800),
    [
      ['60', 60],
      ['60s', 60],
      ['1m', 60],
      ['1 h', 3600],
      ['2d', 172_800],
      ['3d', undefined],
      ['59', undefined],
      ['1w', undefined],
      ['', undefined],
    ],
  ],
  [
    'timeOfDay',
    timeOfDay(),
    [
      ['00:00', 0],
      ['23:59', 1439],
      ['06:30', 390],
      ['24:00', undefined],
      ['6:30', undefined],
      ['12:60', undefined],
    ],
  ],
  [
    'address',
    address(),
    [
      [`0x${'aB'.repeat(20)}`, `0x${'ab'.repeat(20)}`],
      [`0x${'ab'.repeat(19)}`, undefined],
      ['ab', undefined],
    ],
  ],
  [
    'httpUrl',
    httpUrl(),
    [
      ['http://a.example:1/x', 'http://a.example:1/x'],
      ['https://[fd00::1]/', 'https://[fd00::1]/'],
      ['ftp://a', undefined],
      ['http://', undefined],
      ['http:///x', undefined],
      ['http://a b', undefined],
      ['http://[x', undefined],
      [`http://a/${'x'.repeat(512)}`, undefined],
    ],
  ],
  [
    'hostName',
    hostName(),
    [
      ['portal.lan', 'portal.lan'],
      ['a', 'a'],
      ['a-b.c', 'a-b.c'],
      ['-a', undefined],
      ['a-', undefined],
      ['A.lan', undefined],
      ['a..b', undefined],
      ['192.168.1.1', undefined],
      ['a_b', undefined],
      ['x'.repeat(101), undefined],
    ],
  ],
  [
    'deviceName',
    deviceName(),
    [
      ['br-guest', 'br-guest'],
      ['-h', undefined],
      ['a;accept', undefined],
      ['x'.repeat(16), undefined],
    ],
  ],
  [
    'filePath',
    filePath(20),
    [
      ['/etc/x', '/etc/x'],
      ['/', undefined],
      ['etc', undefined],
      ['/a/../b', undefined],
      ['/a/..', undefined],
      ['/..a', '/..a'],
      ['/a b', undefined],
      ['/a*', undefined],
      ['/$(id)', undefined],
      ['/mnt/a_b-c.d+e@f', '/mnt/a_b-c.d+e@f'],
      [`/${'x'.repeat(20)}`, undefined],
    ],
  ],
  [
    'label',
    label(5),
    [
      ['Café', 'Café'],
      ['☕☕☕☕☕', '☕☕☕☕☕'],
      ['123456', undefined],
      [' a', undefined],
      ['a\nb', undefined],
      ['a\u202eb', undefined],
    ],
  ],
];

for (const [name, kind, cases] of KINDS) {
  t.test(`${name} takes what it says and nothing else`, (t) => {
    for (const [text, value] of cases) t.equal(kind.parse(text), value, JSON.stringify(text));
    t.ok(kind.expected.length > 0 && kind.range.length > 0);
    t.end();
  });
}

t.test('durations are told in the largest unit without a fraction', (t) => {
  const cases = [
    [0, '0s'],
    [59, '59s'],
    [60, '1m'],
    [90, '90s'],
    [3600, '1h'],
    [86_400, '1d'],
    [90_000, '25h'],
  ] as const;
  for (const [seconds, text] of cases) t.equal(durationText(seconds), text);
  t.end();
});

t.test('a bound that is no SSP amount is a bug, found when the table is built', (t) => {
  t.throws(() => ssp('x', '1', '1'), /bound must be an SSP amount, got x/);
  t.throws(() => ssp('1.0', '2', '1'), RangeError);
  t.end();
});
