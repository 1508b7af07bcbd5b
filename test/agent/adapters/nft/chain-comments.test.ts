/** fw4's rules, read through an nft that answers what the real one does. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { readChainComments } from '../../../../agent/adapters/nft/chain-comments.ts';

const folder = mkdtempSync(join(tmpdir(), 'chain-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const CHAIN = { family: 'inet', table: 'fw4', chain: 'input' };

function place(script: string) {
  const nftPath = join(folder, `nft-${script.length}`);
  writeFileSync(nftPath, `#!/bin/sh\n${script}\n`);
  chmodSync(nftPath, 0o755);
  return { nftPath, runtimeDir: folder };
}

t.test('the comments of its rules, in their order', async (t) => {
  const rules = [
    { metainfo: {} },
    { chain: { name: 'input' } },
    { rule: { comment: 'one' } },
    { rule: {} },
    { rule: { comment: 'two' } },
  ];
  const nft = place(`[ "$*" = "-j list chain inet fw4 input" ] && echo '${JSON.stringify({ nftables: rules })}'`);
  t.same(await readChainComments(nft, CHAIN), ['one', 'two']);
});

t.test('no chain is no answer, any other refusal is an error', async (t) => {
  const gone = place("echo 'Error: No such file or directory; did you mean table x?' >&2; exit 1");
  t.equal(await readChainComments(gone, CHAIN), undefined);
  await t.rejects(readChainComments(place('echo Operation not permitted >&2; exit 1'), CHAIN), { code: 'NFT_REFUSED' });
});
