/**
 * Cuts UCI text into words, by the rules of libuci's file.c: blanks separate words, a newline or `;` ends a statement,
 * `#` starts a comment even inside an unquoted word, '...' is literal, "..." knows backslash escapes, quoted text may
 * span lines, adjoining pieces make one word, and a backslash at the end of a line joins the next.
 */

export type UciWord = { readonly text: string; readonly line: number };
export type UciFault = { readonly line: number; readonly expected: string; readonly got: string };
export type UciStatement =
  | { readonly kind: 'words'; readonly words: readonly UciWord[]; readonly line: number }
  | { readonly kind: 'fault'; readonly fault: UciFault }
  | { readonly kind: 'end' };

export type UciCursor = { readonly text: string; position: number; line: number };

/** Longest value that is read: a URL or a name is far below; the file itself is bounded by parseUci. */
const MAX_WORD_LENGTH = 4096;
/** `option NAME VALUE` has three words; one more shows that there are too many. */
const MAX_WORDS = 4;

/** The next statement that is not empty. After a fault the cursor stands behind the line that holds it. */
export function readStatement(cursor: UciCursor): UciStatement {
  const words: UciWord[] = [];
  for (;;) {
    skipBlanks(cursor);
    const char = cursor.text[cursor.position];
    const isEnd = char === undefined || char === '\n' || char === ';' || char === '#';
    if (isEnd && words[0] !== undefined) return { kind: 'words', words, line: words[0].line };
    if (char === undefined) return { kind: 'end' };
    if (char === '#') skipLine(cursor);
    else if (isEnd) take(cursor);
    else {
      const word = readWord(cursor);
      if ('expected' in word) return { kind: 'fault', fault: word };
      if (words.length < MAX_WORDS) words.push(word);
    }
  }
}

function readWord(cursor: UciCursor): UciWord | UciFault {
  const line = cursor.line;
  let text = '';
  while (text.length <= MAX_WORD_LENGTH) {
    const char = cursor.text[cursor.position];
    if (char === undefined || char === '#' || char === ';' || char === '\n' || isBlank(char)) return { text, line };
    const piece = char === "'" || char === '"' ? readQuoted(cursor, char) : readPlain(cursor);
    if (typeof piece !== 'string') return piece;
    text += piece;
  }
  skipLine(cursor);
  return { line, expected: `at most ${MAX_WORD_LENGTH} characters in one value`, got: 'more' };
}

/** Text up to the closing quote. A quote that is never closed has swallowed the rest: no later fault would be true. */
function readQuoted(cursor: UciCursor, quote: string): string | UciFault {
  const line = cursor.line;
  take(cursor);
  let text = '';
  for (;;) {
    const char = cursor.text[cursor.position];
    if (char === undefined) return { line, expected: `a closing ${quote}`, got: 'the end of the file' };
    if (char === quote) {
      take(cursor);
      return text;
    }
    text += char === '\\' && quote === '"' ? readEscape(cursor) : take(cursor);
  }
}

function readPlain(cursor: UciCursor): string {
  return cursor.text[cursor.position] === '\\' ? readEscape(cursor) : take(cursor);
}

/** The character after a backslash; nothing if that is the end of a line, which is thereby joined with the next. */
function readEscape(cursor: UciCursor): string {
  take(cursor);
  const char = take(cursor);
  return char === '\n' ? '' : char;
}

function skipBlanks(cursor: UciCursor): void {
  for (;;) {
    const char = cursor.text[cursor.position];
    if (char === '\\' && cursor.text[cursor.position + 1] === '\n') readEscape(cursor);
    else if (char !== undefined && isBlank(char)) take(cursor);
    else return;
  }
}

/** Up to, not including, the end of the line. */
function skipLine(cursor: UciCursor): void {
  const end = cursor.text.indexOf('\n', cursor.position);
  cursor.position = end < 0 ? cursor.text.length : end;
}

function take(cursor: UciCursor): string {
  const char = cursor.text[cursor.position] ?? '';
  cursor.position += char.length;
  if (char === '\n') cursor.line += 1;
  return char;
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\r' || char === '\v' || char === '\f';
}
