import t from 'tap';
import { parseCollectorConfig } from '../../fleet/collector-config.ts';

const ADDRESS = `0x${'AB'.repeat(20)}`;
const MINIMAL = {
  port: 8440,
  directory: 'data',
  keyFile: 'collector.key',
  chainId: '31337',
  channels: ADDRESS,
  registry: ADDRESS,
  devices: [{ address: ADDRESS }],
};
const lower = ADDRESS.toLowerCase() as `0x${string}`;

t.test('what is not said has a default', (t) => {
  const parsed = parseCollectorConfig(JSON.stringify(MINIMAL));
  t.strictSame(parsed, {
    ok: true,
    value: {
      host: '127.0.0.1',
      port: 8440,
      directory: 'data',
      keyFile: 'collector.key',
      deployment: { chainId: 31337n, channels: lower, registry: lower },
      lateAfterS: 37n * 86_400n,
      vendors: new Map(),
      isEnrolmentManual: false,
      devices: new Map([[lower, { isRevoked: false, linkBytesPerS: 125_000_000n }]]),
    },
  });
  t.end();
});

t.test('the first wrong member is named', (t) => {
  const refusalOf = (changes: object) => parseCollectorConfig(JSON.stringify({ ...MINIMAL, ...changes }));
  t.match(refusalOf({ port: -1 }), { ok: false, path: 'port' });
  t.match(refusalOf({ channels: '0x' }), { ok: false, path: 'channels', got: '"0x"' });
  t.match(refusalOf({ devices: [{ address: ADDRESS, linkBytesPerS: 5 }] }), {
    ok: false,
    path: 'devices.0.linkBytesPerS',
  });
  t.match(refusalOf({ prot: 1 }), { ok: false });
  t.match(parseCollectorConfig('{'), { ok: false, expected: 'JSON' });
  t.end();
});
