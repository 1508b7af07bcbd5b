/** Whatever option the owner gets wrong, the message says where, what may be written, and what was. */
import t from 'tap';
import type { SectionSpec } from '../../../../agent/adapters/uci/option-spec.ts';
import { OPTION_TABLE } from '../../../../agent/adapters/uci/option-table.ts';
import { configErrorText, configFromUci } from '../../../../agent/adapters/uci/read-config.ts';

/** No option takes all of these. */
const WRONG = ['', '?!', '-1', 'x'.repeat(400)];
const OPTIONS = Object.entries(OPTION_TABLE).flatMap(([section, spec]: [string, SectionSpec]) =>
  Object.entries(spec.options).map(([name, { presence }]) => ({ section, name, presence })),
);

t.test('every option refuses what it cannot be, with path, expectation, value and line', (t) => {
  for (const { section, name, presence } of OPTIONS) {
    const word = presence === 'list' ? 'list' : 'option';
    const said = WRONG.flatMap((value) => {
      const reading = configFromUci(`config ${section}\n\t${word} ${name} '${value}'\n`);
      const found = reading.ok ? [] : reading.errors.filter(({ path }) => path.endsWith(`.${name}`));
      return found.map((error) => ({ value, text: configErrorText(error) }));
    });
    t.not(said.length, 0, `${section}.${name} takes anything`);
    for (const { value, text } of said) {
      const path = new RegExp(`^shareagent\\.(${section}|@${section}\\[0\\])\\.${name}: `);
      t.match(text, path);
      t.match(text.replace(path, ''), /^(must be|must not be|is empty).{4,}/, text);
      t.ok(text.endsWith('(line 2)'), text);
      t.ok(text.includes(value.slice(0, 20)), text);
    }
  }
  t.ok(OPTIONS.length > 60, `${OPTIONS.length} options`);
  t.end();
});
