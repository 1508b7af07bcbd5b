/**
 * keccak256 as WebAssembly that is put together here: a 64-bit machine does in one instruction what JavaScript's 32-bit
 * halves need four for. Five to eight times faster than noble, no dependency, and checked against noble before use.
 *
 * The module takes up whole blocks: lanes in memory at 0, round constants at 200, blocks behind them. Padding is done here.
 *
 * @see FIPS 202, sections 3.2 (step mappings) and 3.3 (keccak-p); the padding is Keccak's own (0x01), not SHA-3's
 */
import { type Keccak256, useKeccak256 } from '../protocol/keccak.ts';

const LANES = 25;
const RATE_BYTES = 136;
const CONSTANTS_AT = LANES * 8;
const ROUNDS = 24;
const INPUT_AT = CONSTANTS_AT + 8 * ROUNDS;
/** Of whole blocks, in the one page of memory. */
const INPUT_BYTES = 479 * RATE_BYTES;
const MASK = (1n << 64n) - 1n;

/** Instructions of WebAssembly that the permutation needs. */
const OP = { get: 0x20, set: 0x21, load: 0x29, store: 0x37, const32: 0x41, add32: 0x6a, lt32: 0x49 } as const;
const OP64 = { const: 0x42, and: 0x83, xor: 0x85, rotl: 0x89 } as const;
const LOOP = [0x03, 0x40];
const IF = [0x04, 0x40];
const BRANCH_BACK = [0x0d, 0x00];
const END = 0x0b;
const I32 = 0x7f;
const I64 = 0x7e;

// Locals: 0 and 1 = the parameters: where the blocks end, and whether lanes are there from before (they are zeros else); then 25
// lanes, 25 of the other half, five column words, theta's five addends; offsets of the round's constant and of the block.
const lane = (x: number, y: number): number => 2 + x + 5 * y;
const moved = (x: number, y: number): number => 27 + x + 5 * y;
const column = (x: number): number => 52 + x;
const addend = (x: number): number => 57 + x;
const CONSTANT = 62;
const BLOCK = 63;
const FIVE = [0, 1, 2, 3, 4];
const ALL = FIVE.flatMap((y) => FIVE.map((x) => ({ x, y })));

/** What is used of WebAssembly's JavaScript interface, which neither ES2023's types nor Node's describe. */
type Engine = {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly absorb: (end: number, isGoingOn: number) => void;
    };
  };
};

/** Switches keccak256 of this process to WebAssembly. @throws RangeError if it answers wrongly on this machine */
export function useWasmKeccak(): void {
  useKeccak256(wasmKeccak256());
}

export function wasmKeccak256(): Keccak256 {
  const { Instance, Module } = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
  const { memory, absorb } = new Instance(new Module(moduleBytes())).exports;
  new BigUint64Array(memory.buffer, CONSTANTS_AT, ROUNDS).set(roundConstants());
  const state = new Uint8Array(memory.buffer, 0, CONSTANTS_AT);
  const input = new Uint8Array(memory.buffer, INPUT_AT, INPUT_BYTES);
  return (bytes) => {
    let at = 0;
    let isGoingOn = 0;
    for (; bytes.length - at >= INPUT_BYTES; at += INPUT_BYTES) {
      input.set(bytes.subarray(at, at + INPUT_BYTES));
      absorb(INPUT_AT + INPUT_BYTES, isGoingOn);
      isGoingOn = 1;
    }
    const rest = bytes.length - at;
    const end = rest - (rest % RATE_BYTES) + RATE_BYTES;
    input.set(at === 0 ? bytes : bytes.subarray(at));
    input.fill(0, rest, end);
    input[rest] = 0x01;
    input[end - 1] = (input[end - 1] as number) ^ 0x80;
    absorb(INPUT_AT + end, isGoingOn);
    return state.slice(0, 32);
  };
}

/** LFSR of FIPS 202, algorithm 5. */
function roundConstants(): BigUint64Array {
  let register = 1;
  const nextBit = (): number => {
    const bit = register & 1;
    register <<= 1;
    if (register & 0x100) register ^= 0x171;
    return bit;
  };
  return BigUint64Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let j = 0; j <= 6; j++) if (nextBit() === 1) constant |= 1n << BigInt((1 << j) - 1);
    return constant & MASK;
  });
}

/** By how much rho turns each lane: algorithm 2. */
function rotations(): ReadonlyMap<number, number> {
  const turns = new Map([[lane(0, 0), 0]]);
  let [x, y] = [1, 0];
  for (let t = 0; t < 24; t++) {
    turns.set(lane(x, y), (((t + 1) * (t + 2)) / 2) % 64);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return turns;
}

function permutation(): readonly number[] {
  const turns = rotations();
  const turn = (by: number): number[] => [OP64.const, ...signed(by), OP64.rotl];
  const theta = [
    ...FIVE.flatMap((x) => [
      ...FIVE.flatMap((y) => [OP.get, lane(x, y), ...(y === 0 ? [] : [OP64.xor])]),
      OP.set,
      column(x),
    ]),
  ];
  const addends = FIVE.flatMap((x) => [
    ...[OP.get, column((x + 4) % 5), OP.get, column((x + 1) % 5), ...turn(1), OP64.xor, OP.set, addend(x)],
  ]);
  // Theta's addend is put in while rho turns and pi moves the lane.
  const rhoAndPi = ALL.flatMap(({ x, y }) => [
    ...[OP.get, lane(x, y), OP.get, addend(x), OP64.xor],
    ...turn(turns.get(lane(x, y)) as number),
    ...[OP.set, moved(y, (2 * x + 3 * y) % 5)],
  ]);
  const chi = ALL.flatMap(({ x, y }) => [
    ...[OP.get, moved(x, y), OP.get, moved((x + 1) % 5, y), OP64.const, 0x7f, OP64.xor],
    ...[OP.get, moved((x + 2) % 5, y), OP64.and, OP64.xor, OP.set, lane(x, y)],
  ]);
  const iota = [OP.get, lane(0, 0), OP.get, CONSTANT, OP.load, 3, 0, OP64.xor, OP.set, lane(0, 0)];
  const next = [OP.get, CONSTANT, OP.const32, 8, OP.add32, OP.set, CONSTANT];
  const more = [OP.get, CONSTANT, OP.const32, ...signed(INPUT_AT), OP.lt32];
  return [
    ...[OP.const32, ...signed(CONSTANTS_AT), OP.set, CONSTANT],
    ...[...LOOP, ...theta, ...addends, ...rhoAndPi, ...chi, ...iota, ...next, ...more, ...BRANCH_BACK, END],
  ];
}

function absorption(): readonly number[] {
  const blockWords = Array.from({ length: RATE_BYTES / 8 }, (_, i) => i);
  const block = blockWords.flatMap((i) => [
    ...[OP.get, lane(i, 0), OP.get, BLOCK, OP.load, 3, ...unsigned(8 * i), OP64.xor, OP.set, lane(i, 0)],
  ]);
  const next = [OP.get, BLOCK, OP.const32, ...signed(RATE_BYTES), OP.add32, OP.set, BLOCK];
  const more = [OP.get, BLOCK, OP.get, 0, OP.lt32];
  return [
    ...[OP.get, 1, ...IF],
    ...ALL.flatMap(({ x, y }) => [OP.const32, 0, OP.load, 3, ...unsigned(8 * (x + 5 * y)), OP.set, lane(x, y)]),
    END,
    ...[OP.const32, ...signed(INPUT_AT), OP.set, BLOCK],
    ...[...LOOP, ...block, ...permutation(), ...next, ...more, ...BRANCH_BACK, END],
    ...ALL.flatMap(({ x, y }) => [OP.const32, 0, OP.get, lane(x, y), OP.store, 3, ...unsigned(8 * (x + 5 * y))]),
    END,
  ];
}

/** @see WebAssembly Core Specification 1.0, section 5.5 "Modules" */
function moduleBytes(): Uint8Array<ArrayBuffer> {
  const code = [2, 60, I64, 2, I32, ...absorption()];
  const name = (text: string): number[] => [text.length, ...Buffer.from(text, 'latin1')];
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsigned(bytes.length), ...bytes];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 2, I32, I32, 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]),
    ...section(7, [2, ...name('memory'), 2, 0, ...name('absorb'), 0, 0]),
    ...section(10, [1, ...unsigned(code.length), ...code]),
  ]);
}

/** LEB128 */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];
}

/** Signed LEB128 of a number that is not negative: one more bit, so that the sign stays clear. */
function signed(value: number): number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
