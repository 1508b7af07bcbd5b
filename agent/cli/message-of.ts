/** What an error says in one line, with the reason behind it: fetch hides "connection refused" in its cause. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? causeOf(error.cause) : '';
  const [line = error.name] = error.message.split('\n');
  return cause === '' || line.includes(cause) ? line : `${line}: ${cause}`;
}

/** An AggregateError (every address of a host refused) has no message of its own. */
function causeOf(cause: Error): string {
  if (cause.message !== '') return cause.message;
  return 'code' in cause ? String(cause.code) : cause.name;
}
