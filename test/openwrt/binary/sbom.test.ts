import t from 'tap';
import { type Component, licencesOf, packageFolders, sbomOf } from '../../../tools/sbom.ts';

const SUBJECT = { version: '1.2.3', commit: 'abc', target: 'x86_64-linux-gnu', epochS: 1_790_000_000 };
const PARTS: readonly Component[] = [
  { name: 'zeta', version: '2', licence: 'MIT', purl: 'pkg:npm/zeta@2', licenceText: 'Zeta text' },
  { name: 'alpha', version: '1', licence: 'ISC', purl: 'pkg:npm/alpha@1', sha512Hex: 'ff', licenceText: 'Alpha text' },
];

t.test('the bill names subject and parts, and is the same whatever their order', (t) => {
  const text = sbomOf(SUBJECT, PARTS);
  t.equal(sbomOf(SUBJECT, [...PARTS].reverse()), text);
  const bill = JSON.parse(text);
  t.match(bill, {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    metadata: { timestamp: '2026-09-21T14:13:20.000Z', component: { name: 'shareagent', version: '1.2.3' } },
    components: [
      { name: 'alpha', licenses: [{ expression: 'ISC' }], hashes: [{ alg: 'SHA-512', content: 'ff' }] },
      { name: 'zeta', purl: 'pkg:npm/zeta@2' },
    ],
  });
  t.notMatch(sbomOf({ ...SUBJECT, commit: 'abd' }, PARTS), bill.serialNumber, 'another commit, another bill');
  t.end();
});

t.test('every licence text is there, and a missing one stops the build', (t) => {
  const text = licencesOf(PARTS);
  t.ok(text.indexOf('Alpha text') < text.indexOf('Zeta text'));
  t.throws(() => licencesOf([{ ...(PARTS[0] as Component), licenceText: ' ' }]), /zeta 2 has no licence text/);
  t.end();
});

t.test('packages are found by the files that went in', (t) => {
  const inputs = [
    'agent/main.ts',
    'node_modules/a/x.js',
    'node_modules/a/node_modules/@b/c/lib/y.js',
    'node_modules/a/z.js',
  ];
  t.same(packageFolders(inputs), ['node_modules/a', 'node_modules/a/node_modules/@b/c']);
  t.end();
});
