/**
 * The body of a bulk upload: for each proof four bytes of length, big-endian, and the upload as a router would send it
 * alone. A relay needs to know nothing of what it forwards; a body cut short says where.
 */
import type { Decoded } from '../protocol/schema.ts';
import { MAX_UPLOAD_BYTES } from '../protocol/traffic-proof-wire.ts';

export const BULK_MEDIA_TYPE = 'application/vnd.ssp.proofs';
export const MAX_BULK_BYTES = 4 * 1024 * 1024;
export const MAX_BULK_PROOFS = 4096;

const LENGTH_BYTES = 4;

export function encodeBulk(uploads: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(
    uploads.flatMap((upload) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt32BE(upload.length);
      return [length, upload];
    }),
  );
}

/** The uploads, as views into `body`. Refused as a whole if it is not made of lengths and uploads. */
export function decodeBulk(body: Uint8Array): Decoded<readonly Uint8Array[]> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const uploads: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const path = `proof ${uploads.length}`;
    if (uploads.length === MAX_BULK_PROOFS) {
      return { ok: false, path, expected: `at most ${MAX_BULK_PROOFS} proofs`, got: 'more' };
    }
    const left = bytes.length - at - LENGTH_BYTES;
    if (left < 0) return { ok: false, path, expected: `a length of ${LENGTH_BYTES} bytes`, got: 'the end' };
    const length = bytes.readUInt32BE(at);
    if (length === 0 || length > MAX_UPLOAD_BYTES) {
      return { ok: false, path, expected: `a length of 1..${MAX_UPLOAD_BYTES}`, got: String(length) };
    }
    if (length > left) return { ok: false, path, expected: `${length} bytes`, got: `${left}` };
    uploads.push(bytes.subarray(at + LENGTH_BYTES, at + LENGTH_BYTES + length));
    at += LENGTH_BYTES + length;
  }
  return { ok: true, value: uploads };
}
