/**
 * A QR code of a text, as rows of dark modules. Byte mode, error correction level L (it is read off a screen, nothing scratches
 * it), versions 1 to 25: up to 1,273 bytes of UTF-8.
 *
 * @see ISO/IEC 18004:2015 sections 7 and 8
 */

export type QrModules = readonly (readonly boolean[])[];

/** Per version, level L: error correction codewords of a block, and blocks (table 9). */
const ECC_PER_BLOCK = [
  0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28, 28, 28, 30, 30, 26,
];
const BLOCKS = [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8, 8, 9, 9, 10, 12];
const MAX_VERSION = 25;
const LEVEL_L = 1;

/** @throws RangeError if the text is longer than version 25 holds. */
export function qrModules(text: string): QrModules {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= MAX_VERSION && bytes.length > capacityBytes(version)) version++;
  if (version > MAX_VERSION)
    throw new RangeError(`a QR code holds ${capacityBytes(MAX_VERSION)} bytes, got ${bytes.length}`);
  const grid = new Grid(version);
  grid.drawCodewords(withErrorCorrection(dataCodewords(bytes, version), version));
  return grid.masked();
}

/** Bytes of text that a version holds: without mode, length and error correction. */
function capacityBytes(version: number): number {
  return dataLength(version) - (version < 10 ? 2 : 3);
}

function dataLength(version: number): number {
  return Math.floor(rawModules(version) / 8) - (ECC_PER_BLOCK[version] as number) * (BLOCKS[version] as number);
}

/** Modules left for data and error correction once all patterns are drawn. */
function rawModules(version: number): number {
  let count = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2;
    count -= (25 * aligned - 10) * aligned - 55;
    if (version >= 7) count -= 36;
  }
  return count;
}

function dataCodewords(bytes: Uint8Array, version: number): number[] {
  const bits: number[] = [];
  const put = (value: number, length: number) => {
    for (let i = length - 1; i >= 0; i--) bits.push((value >>> i) & 1);
  };
  put(4, 4);
  put(bytes.length, version < 10 ? 8 : 16);
  for (const byte of Array.from(bytes)) put(byte, 8);
  const room = dataLength(version) * 8;
  put(0, Math.min(4, room - bits.length));
  put(0, (8 - (bits.length % 8)) % 8);
  for (let pad = 0xec; bits.length < room; pad ^= 0xec ^ 0x11) put(pad, 8);
  const words: number[] = [];
  for (let i = 0; i < bits.length; i += 8) words.push(bits.slice(i, i + 8).reduce((word, bit) => word * 2 + bit, 0));
  return words;
}

/** Splits into blocks, appends each one's error correction, and interleaves them. */
function withErrorCorrection(data: readonly number[], version: number): number[] {
  const blocks = BLOCKS[version] as number;
  const eccLength = ECC_PER_BLOCK[version] as number;
  const raw = Math.floor(rawModules(version) / 8);
  const shortBlocks = blocks - (raw % blocks);
  const shortData = Math.floor(raw / blocks) - eccLength;
  const divisor = generator(eccLength);
  const parts: { readonly data: readonly number[]; readonly ecc: readonly number[] }[] = [];
  for (let i = 0, at = 0; i < blocks; i++) {
    const end = at + shortData + (i < shortBlocks ? 0 : 1);
    const part = data.slice(at, end);
    parts.push({ data: part, ecc: remainder(part, divisor) });
    at = end;
  }
  const result: number[] = [];
  const weave = (pick: (part: (typeof parts)[number]) => readonly number[], length: number) => {
    for (let i = 0; i < length; i++) {
      for (const part of parts) {
        const word = pick(part)[i];
        if (word !== undefined) result.push(word);
      }
    }
  };
  weave((part) => part.data, shortData + 1);
  weave((part) => part.ecc, eccLength);
  return result;
}

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d);
    product ^= ((b >>> i) & 1) * a;
  }
  return product;
}

function generator(degree: number): number[] {
  const result = new Array<number>(degree).fill(0);
  result[degree - 1] = 1;
  for (let i = 0, root = 1; i < degree; i++) {
    for (let j = 0; j < degree; j++) {
      result[j] = times(result[j] as number, root) ^ (result[j + 1] ?? 0);
    }
    root = times(root, 2);
  }
  return result;
}

function remainder(data: readonly number[], divisor: readonly number[]): number[] {
  const result = divisor.map(() => 0);
  for (const word of data) {
    const factor = word ^ (result.shift() as number);
    result.push(0);
    divisor.forEach((coefficient, i) => {
      result[i] = (result[i] as number) ^ times(coefficient, factor);
    });
  }
  return result;
}

const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

class Grid {
  readonly #size: number;
  readonly #version: number;
  readonly #dark: boolean[][];
  /** Modules of patterns, which no mask touches. */
  readonly #isFixed: boolean[][];

  constructor(version: number) {
    this.#version = version;
    this.#size = version * 4 + 17;
    const rows = () => Array.from({ length: this.#size }, () => new Array<boolean>(this.#size).fill(false));
    this.#dark = rows();
    this.#isFixed = rows();
    this.#drawPatterns();
  }

  drawCodewords(words: readonly number[]): void {
    let bit = 0;
    for (let right = this.#size - 1; right >= 1; right -= 2) {
      const column = right <= 6 ? right - 1 : right;
      const isUpward = ((column + 1) & 2) === 0;
      for (let step = 0; step < this.#size; step++) {
        const y = isUpward ? this.#size - 1 - step : step;
        for (const x of [column, column - 1]) {
          if (this.#isFixed[y]?.[x] === true || bit >= words.length * 8) continue;
          this.#put(x, y, (((words[bit >>> 3] as number) >>> (7 - (bit & 7))) & 1) === 1, false);
          bit++;
        }
      }
    }
  }

  /** The code under the mask with the least penalty. */
  masked(): QrModules {
    const candidates = MASKS.map((isFlipped, mask) => {
      this.#drawFormat(mask);
      return this.#dark.map((row, y) =>
        row.map((dark, x) => (this.#isFixed[y]?.[x] === true ? dark : dark !== isFlipped(x, y))),
      );
    });
    const penalties = candidates.map(penalty);
    return candidates[penalties.indexOf(Math.min(...penalties))] as QrModules;
  }

  #put(x: number, y: number, dark: boolean, isFixed: boolean): void {
    const row = this.#dark[y];
    const fixed = this.#isFixed[y];
    if (row === undefined || fixed === undefined || x < 0 || x >= this.#size) return;
    row[x] = dark;
    fixed[x] = isFixed;
  }

  #drawPatterns(): void {
    const size = this.#size;
    for (let i = 0; i < size; i++) {
      this.#put(6, i, i % 2 === 0, true);
      this.#put(i, 6, i % 2 === 0, true);
    }
    for (const [x, y] of [
      [3, 3],
      [size - 4, 3],
      [3, size - 4],
    ] as const)
      this.#square(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    const centres = this.#alignmentCentres();
    const last = centres.length - 1;
    centres.forEach((x, i) => {
      centres.forEach((y, j) => {
        const isFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
        if (!isFinder) this.#square(x, y, 2, (ring) => ring !== 1);
      });
    });
    this.#drawFormat(0);
    this.#drawVersion();
  }

  /** Concentric rings around a centre; `ring` is the distance from it. */
  #square(centreX: number, centreY: number, radius: number, isDark: (ring: number) => boolean): void {
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        this.#put(centreX + dx, centreY + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))), true);
      }
    }
  }

  #alignmentCentres(): readonly number[] {
    if (this.#version === 1) return [];
    const count = Math.floor(this.#version / 7) + 2;
    const step = Math.floor((this.#version * 8 + count * 3 + 5) / (count * 4 - 4)) * 2;
    const rest = Array.from({ length: count - 1 }, (_, i) => this.#size - 7 - i * step);
    return [6, ...rest.reverse()];
  }

  #drawFormat(mask: number): void {
    const data = (LEVEL_L << 3) | mask;
    const bits = ((data << 10) | checkBits(data, 10, 0x537)) ^ 0x5412;
    const bit = (i: number) => ((bits >>> i) & 1) === 1;
    const size = this.#size;
    for (let i = 0; i < 15; i++) {
      const near = i < 6 ? i : i < 8 ? i + 1 : 14 - i;
      if (i < 8) this.#put(8, near, bit(i), true);
      else this.#put(i === 8 ? 7 : near, 8, bit(i), true);
      if (i < 8) this.#put(size - 1 - i, 8, bit(i), true);
      else this.#put(8, size - 15 + i, bit(i), true);
    }
    this.#put(8, size - 8, true, true);
  }

  #drawVersion(): void {
    if (this.#version < 7) return;
    const bits = (this.#version << 12) | checkBits(this.#version, 12, 0x1f25);
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >>> i) & 1) === 1;
      const far = this.#size - 11 + (i % 3);
      this.#put(far, Math.floor(i / 3), dark, true);
      this.#put(Math.floor(i / 3), far, dark, true);
    }
  }
}

/** Remainder of data * x^degree by a BCH generator. */
function checkBits(data: number, degree: number, polynomial: number): number {
  let rest = data;
  for (let i = 0; i < degree; i++) rest = (rest << 1) ^ ((rest >>> (degree - 1)) * polynomial);
  return rest;
}

/** Runs, blocks, finder-like patterns and imbalance (section 7.8.3): what makes a code hard to read. */
function penalty(rows: QrModules): number {
  const size = rows.length;
  const lines = [...rows, ...rows.map((_, x) => rows.map((row) => row[x] === true))].map((line) =>
    line.map((dark) => (dark ? '1' : '0')).join(''),
  );
  let points = 0;
  for (const line of lines) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) points += run.length - 2;
    for (let i = 0; i + 11 <= size; i++) {
      const part = line.slice(i, i + 11);
      if (part === '10111010000' || part === '00001011101') points += 40;
    }
  }
  for (let y = 0; y + 1 < size; y++) {
    for (let x = 0; x + 1 < size; x++) {
      const dark = rows[y]?.[x];
      if (dark === rows[y]?.[x + 1] && dark === rows[y + 1]?.[x] && dark === rows[y + 1]?.[x + 1]) points += 3;
    }
  }
  const darkShare = rows.reduce((sum, row) => sum + row.filter(Boolean).length, 0) / (size * size);
  return points + Math.floor(Math.abs(darkShare - 0.5) * 20) * 10;
}
