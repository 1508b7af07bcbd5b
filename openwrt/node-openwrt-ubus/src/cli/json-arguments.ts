/**
 * The JSON that people type behind `ubus call`, as json-c reads it: 2 is an INT32, 2.0 a DOUBLE, 2147483648 an INT64, field
 * order is kept, single quotes and comments pass, what follows the value is ignored. JSON.parse keeps none of this.
 */
import { type BlobmsgField, BlobmsgType, type BlobmsgTypeId, type FieldValue, MAX_DEPTH } from '../blobmsg.ts';

const LONGEST_INT64 = 2n ** 63n - 1n;
const LEAST_INT64 = -(2n ** 63n);

const LITERALS: readonly (readonly [RegExp, BlobmsgTypeId, number | null])[] = [
  [/true/iy, BlobmsgType.INT8, 1],
  [/false/iy, BlobmsgType.INT8, 0],
  [/null/iy, BlobmsgType.UNSPEC, null],
  [/nan/iy, BlobmsgType.DOUBLE, Number.NaN],
  [/-infinity/iy, BlobmsgType.DOUBLE, Number.NEGATIVE_INFINITY],
  [/infinity/iy, BlobmsgType.DOUBLE, Number.POSITIVE_INFINITY],
];

const ESCAPED: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

type Value = { readonly type: BlobmsgTypeId; readonly value: FieldValue };

/** Fields of a JSON object. @throws SyntaxError for what json-c refuses, and for any other value than an object */
export function fieldsFromJson(text: string): readonly BlobmsgField[] {
  const { type, value } = new JsonReader(text).value(1);
  if (type !== BlobmsgType.TABLE) throw new SyntaxError('arguments must be a JSON object');
  return value as readonly BlobmsgField[];
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) throw this.#error(`nested deeper than ${MAX_DEPTH}`);
    this.#skipSpace();
    const character = this.#text[this.#at];
    if (character === '{') return { type: BlobmsgType.TABLE, value: this.#fields(depth) };
    if (character === '[') return { type: BlobmsgType.ARRAY, value: this.#elements(depth) };
    if (character === '"' || character === "'") return { type: BlobmsgType.STRING, value: this.#string(character) };
    for (const [pattern, type, value] of LITERALS) if (this.#match(pattern) !== undefined) return { type, value };
    return this.#number();
  }

  #fields(depth: number): BlobmsgField[] {
    // Of two fields with one name the later value counts, in the place of the first.
    const fields = new Map<string, BlobmsgField>();
    this.#at += 1;
    while (!this.#take('}')) {
      if (fields.size > 0) this.#expect(',');
      this.#skipSpace();
      if (fields.size > 0 && this.#take('}')) break;
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") throw this.#error('expected a field name in quotes');
      const name = this.#string(quote);
      this.#expect(':');
      fields.set(name, { name, ...this.value(depth + 1) });
    }
    return [...fields.values()];
  }

  #elements(depth: number): BlobmsgField[] {
    const elements: BlobmsgField[] = [];
    this.#at += 1;
    while (!this.#take(']')) {
      if (elements.length > 0) this.#expect(',');
      if (elements.length > 0 && this.#take(']')) break;
      elements.push({ name: '', ...this.value(depth + 1) });
    }
    return elements;
  }

  #string(quote: string): string {
    let text = '';
    for (this.#at += 1; ; this.#at++) {
      const character = this.#text[this.#at];
      if (character === undefined) throw this.#error('unterminated string');
      if (character === quote) break;
      text += character === '\\' ? this.#escaped() : character;
    }
    this.#at += 1;
    // To C the text ends at a NUL.
    const nul = text.indexOf('\0');
    return nul < 0 ? text : text.slice(0, nul);
  }

  #escaped(): string {
    this.#at += 1;
    const character = this.#text[this.#at] ?? '';
    if (character === '"' || character === '\\' || character === '/' || character === "'") return character;
    const known = ESCAPED[character];
    if (known !== undefined) return known;
    const hex = this.#text.slice(this.#at + 1, this.#at + 5);
    if (character !== 'u' || !/^[0-9a-f]{4}$/i.test(hex)) throw this.#error('unknown escape');
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #number(): Value {
    const digits = this.#match(/-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/iy);
    if (digits === undefined) throw this.#error('expected a value');
    if (!/^-?\d+$/.test(digits)) return { type: BlobmsgType.DOUBLE, value: Number(digits) };
    const exact = BigInt(digits);
    const value = exact > LONGEST_INT64 ? LONGEST_INT64 : exact < LEAST_INT64 ? LEAST_INT64 : exact;
    const small = Number(value);
    return small === (small | 0) ? { type: BlobmsgType.INT32, value: small } : { type: BlobmsgType.INT64, value };
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    this.#match(/(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*(?:\n|$))*/y);
  }

  #take(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw this.#error(`expected ${character}`);
  }

  #error(what: string): SyntaxError {
    return new SyntaxError(`${what} at character ${this.#at}`);
  }
}
