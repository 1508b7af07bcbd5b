import fc from 'fast-check';
import t from 'tap';
import { MAX_UCI_CHARACTERS, parseUci } from '../../../../agent/adapters/uci/parse-uci.ts';
import { renderUci, type UciPackage } from '../../../../agent/adapters/uci/uci-text.ts';

/** Section, option and value triples without lines. */
function shape(text: string): unknown {
  const parsed = parseUci(text);
  if (!parsed.ok) return parsed;
  return parsed.uci.sections.map((section) => [
    section.type,
    section.name ?? '',
    Object.fromEntries(
      section.options.map((option) => [option.name, option.isList ? option.values : option.values[0]]),
    ),
  ]);
}

function faults(text: string): readonly string[] {
  const parsed = parseUci(text);
  return parsed.ok ? [] : parsed.faults.map((fault) => `${fault.line}: expected ${fault.expected}, got ${fault.got}`);
}

t.test('reads sections, options and lists with their lines', (t) => {
  const parsed = parseUci(
    "package shareagent\n\nconfig network 'network'\n\tlist guest_device 'br-a'\n\tlist guest_device br-b\n\toption x 1\n",
  );
  t.same(parsed, {
    ok: true,
    uci: {
      name: 'shareagent',
      sections: [
        {
          type: 'network',
          name: 'network',
          line: 3,
          options: [
            { name: 'guest_device', isList: true, values: ['br-a', 'br-b'], line: 5 },
            { name: 'x', isList: false, values: ['1'], line: 6 },
          ],
        },
      ],
    },
  });
  t.end();
});

t.test('reads quotes, escapes and adjoining pieces as libuci does', (t) => {
  t.same(shape(`config a\noption q 'it'\\''s "so"'`), [['a', '', { q: `it's "so"` }]]);
  t.same(shape(`config a\noption q "a \\"b\\" \\\\ 'c'"`), [['a', '', { q: `a "b" \\ 'c'` }]]);
  t.same(shape(`config a\noption q one' two '"three"`), [['a', '', { q: 'one two three' }]]);
  t.same(shape(`config a\noption q a\\ b\\#c`), [['a', '', { q: 'a b#c' }]]);
  t.same(shape(`config a\noption q 'two\nlines'\noption r 1`), [['a', '', { q: 'two\nlines', r: '1' }]]);
  t.same(shape(`config a\noption q 'back\\slash'`), [['a', '', { q: 'back\\slash' }]]);
  t.end();
});

t.test('joins lines that end in a backslash', (t) => {
  t.same(shape(`config a\noption \\\n q one\\\ntwo\noption r "x\\\ny"`), [['a', '', { q: 'onetwo', r: 'xy' }]]);
  t.end();
});

t.test('a comment starts at an unquoted #, even inside a word', (t) => {
  t.same(shape(`# head\nconfig a # tail\noption q one#two\noption r '#ff'\n  # end`), [
    ['a', '', { q: 'one', r: '#ff' }],
  ]);
  t.end();
});

t.test('a semicolon ends a statement, and carriage returns are blanks', (t) => {
  t.same(shape(`config a; option q 1;option r 2\r\nconfig b\r\n`), [
    ['a', '', { q: '1', r: '2' }],
    ['b', '', {}],
  ]);
  t.end();
});

t.test('one-letter commands count, as in libuci', (t) => {
  t.same(shape(`p x\nc a n\no q 1\nl r 2`), [['a', 'n', { q: '1', r: ['2'] }]]);
  t.end();
});

t.test('a named section that comes twice is merged, a repeated option replaced, a repeated list appended', (t) => {
  t.same(shape(`config a n\noption q 1\nlist r 1\nconfig b m\nconfig a n\noption q 2\nlist r 2`), [
    ['a', 'n', { q: '2', r: ['1', '2'] }],
    ['b', 'm', {}],
  ]);
  t.same(shape(`config a\noption q 1\nlist q 2`), [['a', '', { q: ['1', '2'] }]]);
  t.same(shape(`config a\nlist q 1\noption q 2`), [['a', '', { q: '2' }]]);
  t.same(
    shape(`config a\nconfig a`),
    [
      ['a', '', {}],
      ['a', '', {}],
    ],
    'anonymous sections stay apart',
  );
  t.end();
});

t.test('an option without a value is empty', (t) => {
  t.same(shape(`config a\noption q\noption r ''`), [['a', '', { q: '', r: '' }]]);
  t.end();
});

t.test('each fault names its line, what was expected and what came', (t) => {
  t.same(faults('confg a'), ['1: expected "config", "option", "list" or "package", got "confg"']);
  t.same(faults('\nconfig'), ['2: expected a section type after "config", got nothing']);
  t.same(faults(`config ''`), ['1: expected a section type after "config", got ""']);
  t.same(faults('config a b-c'), ['1: expected a section name of letters, digits and "_", got "b-c"']);
  t.same(faults('config a b c'), ['1: expected the end of the line, got "c"']);
  t.same(faults('option a b'), ['1: expected a "config" line before the first option, got "a"']);
  t.same(faults('config a\noption'), [
    '2: expected an option name of letters, digits and "_" after "option", got nothing',
  ]);
  t.same(faults('config a\noption q two words'), ['2: expected the end of the line, got "words"']);
  t.same(faults(`config a\noption q 'open\n`), [`2: expected a closing ', got the end of the file`]);
  t.same(faults(`config a\noption q x"open`), [`2: expected a closing ", got the end of the file`]);
  t.same(faults('package a/b'), ['1: expected a package name of letters, digits, "_" and "-", got "a/b"']);
  t.same(faults('package a\npackage b'), ['2: expected one package line, before the first section, got "b"']);
  t.same(faults('config a n\nconfig b n'), ['2: expected section "n" to be of type "a" as in line 1, got "b"']);
  t.same(faults('config a\0b'), ['1: expected text, got a NUL character']);
  t.end();
});

t.test('all faults of a file are reported together', (t) => {
  t.same(
    faults('confg a\nconfig b\noption q 1 2\nlst r').map((text) => text.slice(0, 2)),
    ['1:', '3:', '4:'],
  );
  t.end();
});

t.test('what is too large is refused, not read', (t) => {
  t.match(faults('#'.repeat(MAX_UCI_CHARACTERS + 1))[0], /at most 1000000 characters, got 1000001/);
  t.match(faults(`config a\noption q ${'x'.repeat(5000)}\n`)[0], /2: expected at most 4096 characters in one value/);
  t.match(faults('config a\n'.repeat(4097))[0], /4097: expected at most 4096 sections/);
  t.match(
    faults(`config a\n${Array.from({ length: 257 }, (_, i) => `option o${i} 1\n`).join('')}`)[0],
    /at most 256 options/,
  );
  t.match(faults(`config a\n${'list q 1\n'.repeat(1025)}`)[0], /at most 1024 values/);
  t.equal(faults('x\n'.repeat(1000)).length, 20);
  t.match(faults(`config a\noption q ${'x'.repeat(60)} ${'y'.repeat(60)}`)[0], /got "y{37}\.\.\."$/);
  t.end();
});

const nameArbitrary = fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/);
const valueArbitrary = fc
  .oneof(fc.string({ maxLength: 30 }), fc.stringMatching(/^['"\\#; \n\ta]{0,12}$/))
  .map((text) => text.replaceAll('\0', ''));
const packageArbitrary: fc.Arbitrary<UciPackage> = fc
  .uniqueArray(
    fc.record({
      type: fc.stringMatching(/^[a-z_-]{1,8}$/),
      name: nameArbitrary,
      isNamed: fc.boolean(),
      options: fc.uniqueArray(
        fc.record({
          name: nameArbitrary,
          isList: fc.boolean(),
          values: fc.array(valueArbitrary, { minLength: 1, maxLength: 3 }),
        }),
        { selector: (option) => option.name, maxLength: 5 },
      ),
    }),
    { selector: (section) => section.name, maxLength: 5 },
  )
  .map((sections) => ({
    sections: sections.map(({ isNamed, name, type, options }) => ({
      type,
      line: 0,
      ...(isNamed ? { name } : {}),
      options: options.map((option) => ({
        ...option,
        line: 0,
        values: option.isList ? option.values : option.values.slice(0, 1),
      })),
    })),
  }));

function withoutLines(uci: UciPackage): UciPackage {
  return {
    ...uci,
    sections: uci.sections.map((section) => ({
      ...section,
      line: 0,
      options: section.options.map((o) => ({ ...o, line: 0 })),
    })),
  };
}

t.test('property: what renderUci writes, parseUci reads', (t) => {
  fc.assert(
    fc.property(packageArbitrary, (uci) => {
      const parsed = parseUci(renderUci(uci));
      return parsed.ok && JSON.stringify(withoutLines(parsed.uci)) === JSON.stringify(normalised(uci));
    }),
  );
  t.end();
});

/** Key order as parseUci has it. */
function normalised(uci: UciPackage): UciPackage {
  return {
    sections: uci.sections.map((section) => ({
      type: section.type,
      line: 0,
      options: section.options.map(({ name, isList, values }) => ({ name, isList, values, line: 0 })),
      ...(section.name === undefined ? {} : { name: section.name }),
    })),
  };
}

t.test('property: no text makes the parser throw, and every fault lies within the text', (t) => {
  const piece = fc.constantFrom(
    'config',
    'option',
    'list',
    'package',
    ' ',
    '\n',
    "'",
    '"',
    '\\',
    '#',
    ';',
    'a',
    '\t',
    '\r',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(piece, { maxLength: 60 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      const parsed = parseUci(input);
      return parsed.ok || parsed.faults.every((fault) => fault.line >= 1 && fault.line <= input.split('\n').length);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('a package line is rendered and read back', (t) => {
  const uci: UciPackage = { name: 'x', sections: [] };
  t.same(parseUci(renderUci(uci)), { ok: true, uci });
  t.end();
});
