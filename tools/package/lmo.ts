/**
 * LuCI's translations as routers read them: what po2lmo makes of a .po file. The texts one after the other, each filled up to 4 bytes,
 * then an index sorted by the hash of the original, then where the index begins; all numbers u32, big-endian.
 * @see modules/luci-base/src/po2lmo.c and lib/lmo.c of LuCI
 */

export type Message = {
  readonly context: string | undefined;
  readonly original: string;
  readonly translation: string;
};

/** A .po file as those of this project: each text on one line, the header's on several. */
export type Translations = { readonly pluralForms: string; readonly messages: readonly Message[] };

const PLURAL_FORMS = /^"Plural-Forms: (.*)\\n"$/m;
const ENTRY = /^(?:msgctxt "(.*)"\n)?msgid "(.+)"\nmsgstr "(.*)"$/;
/** What stands between context and original in the key. */
const CONTEXT_END = '\u0001';
const ENTRY_BYTES = 16;

/** @throws Error naming the entry that is not of the form above, or not translated */
export function readPo(text: string): Translations {
  const [head = '', ...blocks] = text.trimEnd().split('\n\n');
  const [, pluralForms] = PLURAL_FORMS.exec(head) ?? [];
  if (!head.startsWith('msgid ""\nmsgstr ""\n') || pluralForms === undefined) {
    throw new Error('a .po file begins with a header that holds Plural-Forms');
  }
  const messages = blocks.map((block): Message => {
    const [, context, original = '', translation = ''] = ENTRY.exec(block) ?? [];
    if (translation === '') throw new Error(`not translated, or not on one line each: ${block.slice(0, 120)}`);
    return {
      context: context && unescaped(context),
      original: unescaped(original),
      translation: unescaped(translation),
    };
  });
  return { pluralForms, messages };
}

export function lmoOf({ pluralForms, messages }: Translations): Buffer {
  const texts: Buffer[] = [];
  let offset = 0;
  const add = (text: string): { offset: number; length: number } => {
    const bytes = Buffer.from(text);
    const place = { offset, length: bytes.length };
    const padded = Buffer.alloc(Math.ceil(bytes.length / 4) * 4);
    bytes.copy(padded);
    texts.push(padded);
    offset += padded.length;
    return place;
  };
  // Key 0 is the rule for plurals, and its count of forms 0.
  const index = [{ key: 0, forms: 0, ...add(pluralForms) }];
  for (const { context, original, translation } of messages) {
    const key = lmoHash(Buffer.from(context === undefined ? original : `${context}${CONTEXT_END}${original}`));
    // The same in both languages is not stored; LuCI then shows the original.
    if (key !== lmoHash(Buffer.from(translation))) index.push({ key, forms: 1, ...add(translation) });
  }
  const entries = index
    .sort((a, b) => a.key - b.key)
    .map(({ key, forms, ...place }) => {
      const entry = Buffer.alloc(ENTRY_BYTES);
      for (const [i, word] of [key, forms, place.offset, place.length].entries()) entry.writeUInt32BE(word, 4 * i);
      return entry;
    });
  const end = Buffer.alloc(4);
  end.writeUInt32BE(offset);
  return Buffer.concat([...texts, ...entries, end]);
}

/** Paul Hsieh's SuperFastHash as LuCI has it (sfh_hash), seeded with the length; the last odd byte counts as signed. */
export function lmoHash(bytes: Buffer): number {
  if (bytes.length === 0) return 0;
  let hash = bytes.length;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    hash = (hash + bytes.readUInt16LE(at)) | 0;
    hash = (hash << 16) ^ ((bytes.readUInt16LE(at + 2) << 11) ^ hash);
    hash = (hash + (hash >>> 11)) | 0;
  }
  hash = lastBytes(hash, bytes, whole);
  hash ^= hash << 3;
  hash = (hash + (hash >>> 5)) | 0;
  hash ^= hash << 4;
  hash = (hash + (hash >>> 17)) | 0;
  hash ^= hash << 25;
  return (hash + (hash >>> 6)) >>> 0;
}

function lastBytes(start: number, bytes: Buffer, at: number): number {
  let hash = start;
  const rest = bytes.length - at;
  if (rest === 0) return hash;
  hash = (hash + (rest === 1 ? bytes.readInt8(at) : bytes.readUInt16LE(at))) | 0;
  if (rest === 3) {
    hash ^= hash << 16;
    hash ^= bytes.readInt8(at + 2) << 18;
    return (hash + (hash >>> 11)) | 0;
  }
  hash ^= hash << (rest === 2 ? 11 : 10);
  return (hash + (hash >>> (rest === 2 ? 17 : 1))) | 0;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}
