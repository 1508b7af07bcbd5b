/** JSON from guests: bounded in depth before it is parsed, refused with a reason and never with a stack. */
import { MAX_JSON_DEPTH } from './limits.ts';

/** The body could not be read as what its content type says. Thrown to Fastify, answered 400. */
export class MalformedBodyError extends Error {
  readonly code = 'PORTAL_MALFORMED_BODY';
  readonly got: string;

  constructor(got: string) {
    super(`Request body is malformed: expected JSON of at most ${MAX_JSON_DEPTH} levels, got ${got}.`);
    this.name = 'MalformedBodyError';
    this.got = got;
  }
}

/** @throws MalformedBodyError */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined;
  if (isTooDeep(text)) throw new MalformedBodyError(`more than ${MAX_JSON_DEPTH} levels`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the input and helps nobody.
    throw new MalformedBodyError('text that is not JSON');
  }
}

/** Counts brackets outside of strings; wrong only for text that JSON.parse refuses anyway. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (isInString) {
      if (character === '\\') i++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > MAX_JSON_DEPTH) return true;
  }
  return false;
}
