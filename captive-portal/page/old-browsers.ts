/**
 * What we and the libraries call and phones of 2020 (iOS 14, Chrome 80) do not have. Imported first, for its effect.
 * Syntax is lowered by the bundler; this is only about missing functions. test/captive-portal/page/baseline.test.ts finds them.
 */

const lacks = (owner: object, name: string): boolean => !(name in owner);

/** Called by @noble/hashes. Safari has it from 15.4, Chrome from 93. */
if (lacks(Object, 'hasOwn')) {
  Object.defineProperty(Object, 'hasOwn', {
    configurable: true,
    writable: true,
    value: (target: object, key: PropertyKey) => Object.getOwnPropertyDescriptor(target, key) !== undefined,
  });
}

/** Called by protocol/ for each thing that is signed. Safari has BigInt from 14 and this from 15. */
if (lacks(DataView.prototype, 'setBigUint64')) {
  Object.defineProperty(DataView.prototype, 'setBigUint64', {
    configurable: true,
    writable: true,
    value(this: DataView, at: number, value: bigint, isLittleEndian = false) {
      this.setUint32(at + (isLittleEndian ? 4 : 0), Number((value >> 32n) & 0xffff_ffffn), isLittleEndian);
      this.setUint32(at + (isLittleEndian ? 0 : 4), Number(value & 0xffff_ffffn), isLittleEndian);
    },
  });
}
