import { readFileSync } from 'node:fs';
import t from 'tap';
import { compileArtifacts } from '../../contracts/compile.ts';

// The compiler is WebAssembly and takes some 10 s, more while other test files run.
t.setTimeout(590_000);

t.test('artifacts and ABI modules are what the pinned compiler makes of the sources', (t) => {
  for (const [path, text] of compileArtifacts()) {
    const committed = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    t.ok(committed === text, `${path} is current; else run "node contracts/compile.ts"`);
  }
  t.end();
});
