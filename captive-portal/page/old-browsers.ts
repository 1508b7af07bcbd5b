/**
 * What the libraries call and phones of 2020 (iOS 14, Chrome 80) do not have. Imported first, for its effect.
 * Syntax is lowered by the bundler; this is only about missing functions.
 */

/** Called by @noble/hashes. Safari has it from 15.4, Chrome from 93. */
if (!('hasOwn' in Object)) {
  Object.defineProperty(Object, 'hasOwn', {
    configurable: true,
    writable: true,
    value: (target: object, key: PropertyKey) => Object.getOwnPropertyDescriptor(target, key) !== undefined,
  });
}
