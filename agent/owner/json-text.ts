/** JSON with bigint as decimal string: the one form in which amounts and bytes are told to the owner. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
}
