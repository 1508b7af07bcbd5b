/**
 * A tar archive in which nothing but its content matters: ustar, owner 0, one time, entries in the given order.
 * @see POSIX.1-2008 pax, ustar interchange format
 */
import type { TreeEntry } from './tree.ts';

const BLOCK = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const TYPE_FLAG = { file: '0', link: '2', folder: '5' } as const;

/** @param mtimeS unix seconds. @throws if a name is longer than ustar can say */
export function tarOf(entries: readonly TreeEntry[], mtimeS: number): Buffer {
  const parts = [header('./', { kind: 'folder', path: '', mode: 0o755 }, mtimeS)];
  for (const entry of entries) {
    const name = entry.kind === 'folder' ? `./${entry.path}/` : `./${entry.path}`;
    parts.push(header(name, entry, mtimeS));
    if (entry.kind === 'file') parts.push(Buffer.from(entry.data), padding(entry.data.length));
  }
  // The end: two blocks of zeros, then up to a record of 20 blocks, as every tar writes it.
  const length = parts.reduce((sum, part) => sum + part.length, 0) + 2 * BLOCK;
  parts.push(Buffer.alloc(2 * BLOCK), Buffer.alloc(recordRest(length)));
  return Buffer.concat(parts);
}

function header(path: string, entry: TreeEntry, mtimeS: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const [prefix, name] = splitName(path);
  const size = entry.kind === 'file' ? entry.data.length : 0;
  block.write(name, 0);
  octal(block, 100, 8, entry.kind === 'link' ? 0o777 : entry.mode);
  octal(block, 108, 8, 0);
  octal(block, 116, 8, 0);
  octal(block, 124, 12, size);
  octal(block, 136, 12, mtimeS);
  block.write(TYPE_FLAG[entry.kind], 156);
  if (entry.kind === 'link') block.write(entry.target, 157);
  block.write('ustar\0', 257);
  block.write('00', 263);
  block.write('root', 265);
  block.write('root', 297);
  block.write(prefix, 345);
  // The sum is made as if its own field were blanks.
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function splitName(path: string): readonly [string, string] {
  if (Buffer.byteLength(path) <= NAME_BYTES) return ['', path];
  for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(prefix) <= PREFIX_BYTES && Buffer.byteLength(name) <= NAME_BYTES && name !== '') {
      return [prefix, name];
    }
  }
  throw new Error(`${path}: longer than a tar header can hold`);
}

function octal(block: Buffer, at: number, width: number, value: number): void {
  block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at);
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);
}

function recordRest(length: number): number {
  return (20 * BLOCK - (length % (20 * BLOCK))) % (20 * BLOCK);
}
