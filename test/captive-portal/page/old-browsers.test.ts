/** The functions that old phones lack, put in by the page itself. */
import t from 'tap';

const VALUES = [0n, 1n, 0xffff_ffffn, 0x1_0000_0000n, 0x0123_4567_89ab_cdefn, (1n << 64n) - 1n, 1n << 64n, -1n];
const at = (value: bigint, isLittleEndian?: boolean): string => {
  const view = new DataView(new ArrayBuffer(17));
  view.setBigUint64(5, value, isLittleEndian);
  return Buffer.from(view.buffer).toString('hex');
};
const written = () => VALUES.flatMap((value) => [at(value), at(value, false), at(value, true)]);
const owned = () => ['a', 'b', 'toString'].map((key) => Object.hasOwn({ a: 1, b: undefined }, key));

t.test('what is put in does as what was missing', async (t) => {
  const expected = [written(), owned()];
  for (const [owner, name] of [
    [DataView.prototype, 'setBigUint64'],
    [Object, 'hasOwn'],
  ] as const) {
    const own = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
    t.ok(Reflect.deleteProperty(owner, name));
    t.teardown(() => Object.defineProperty(owner, name, own));
  }
  t.throws(() => at(1n), { name: 'TypeError' }, 'as on iOS 14');
  await import('../../../captive-portal/page/old-browsers.ts');
  t.strictSame([written(), owned()], expected);
});
