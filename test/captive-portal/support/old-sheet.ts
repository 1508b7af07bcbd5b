/** What some sign-in sheets of old phones do to a page: no storage, no event streams, no function newer than 2020. */
export const OLD_SHEET = `
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
    Object.defineProperty(window, name, { get() { throw new DOMException('denied', 'SecurityError'); } });
  }
  delete window.EventSource;
  for (const [owner, name] of [
    [Object, 'hasOwn'], [Element.prototype, 'replaceChildren'], [Array.prototype, 'at'], [String.prototype, 'at'],
    [String.prototype, 'replaceAll'], [window, 'structuredClone'], [Uint8Array.prototype, 'toHex'], [Uint8Array, 'fromHex'],
    [Promise, 'any'], [DataView.prototype, 'setBigUint64'], [window, 'WeakRef'],
    [Array.prototype, 'findLast'], [Array.prototype, 'toSorted'],
  ]) delete owner[name];
`;
