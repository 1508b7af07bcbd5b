/** JSON as it comes from others: nobody is owed an exception for what is none. */

/** Undefined if the text is no JSON: no JSON has that value. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
