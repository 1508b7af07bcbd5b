/**
 * Sections of an executable for 64-bit machines of little-endian order.
 * @see System V ABI, chapter 4 (ELF header, section header); elf(5)
 */

export type Section = { readonly name: string; readonly offset: number; readonly size: number };

const MAGIC = 0x464c457f;
const CLASS_64 = 2;
const LITTLE_ENDIAN = 1;

/** @throws Error if `image` is no such executable */
export function sectionsOf(image: Buffer): readonly Section[] {
  const isElf = image.length >= 64 && image.readUInt32LE(0) === MAGIC;
  if (!isElf || image[4] !== CLASS_64 || image[5] !== LITTLE_ENDIAN) {
    throw new Error('expected an ELF executable of 64 bits, little-endian');
  }
  const table = Number(image.readBigUInt64LE(0x28));
  const [entryBytes, count, namesIndex] = [0x3a, 0x3c, 0x3e].map((at) => image.readUInt16LE(at)) as [
    number,
    number,
    number,
  ];
  const headers = Array.from({ length: count }, (_, i) => {
    const at = table + i * entryBytes;
    const word = (offset: number): number => Number(image.readBigUInt64LE(at + offset));
    return { nameAt: image.readUInt32LE(at), offset: word(0x18), size: word(0x20) };
  });
  const names = headers[namesIndex];
  if (names === undefined) throw new Error('this ELF executable has no names of sections');
  return headers.map(({ nameAt, offset, size }) => {
    const at = names.offset + nameAt;
    return { name: image.toString('latin1', at, image.indexOf(0, at)), offset, size };
  });
}
