/** Valibot schemas as JSON Schema, as much of both as the API uses. What a schema reads is described, not what it makes of it. */
import type * as v from 'valibot';

export type JsonSchema = { readonly [key: string]: unknown };

/** What of a valibot schema is looked at; these fields are public in each of its schema types. */
type Looked = {
  readonly type: string;
  readonly literal?: unknown;
  readonly options?: readonly unknown[];
  readonly entries?: Readonly<Record<string, Looked>>;
  readonly item?: Looked;
  readonly wrapped?: Looked;
  readonly pipe?: readonly (Looked & { readonly message?: unknown; readonly requirement?: unknown })[];
};

/** @throws TypeError naming a kind of schema that is not known here: the document must not be silently wrong. */
export function jsonSchemaFrom(schema: v.GenericSchema): JsonSchema {
  return describe(schema as unknown as Looked);
}

function describe(schema: Looked): JsonSchema {
  const [first, ...steps] = schema.pipe ?? [];
  // The first step of a pipe is the schema itself, without the pipe.
  if (first !== undefined)
    return { ...(first.pipe === schema.pipe ? bare(schema) : describe(first)), ...limits(steps) };
  return bare(schema);
}

function bare(schema: Looked): JsonSchema {
  switch (schema.type) {
    case 'string':
    case 'number':
    case 'boolean':
      return { type: schema.type };
    case 'literal':
      return { const: schema.literal };
    case 'picklist':
      return { enum: schema.options };
    case 'array':
      return { type: 'array', items: describe(schema.item as Looked) };
    case 'optional':
      return describe(schema.wrapped as Looked);
    case 'union':
    case 'variant':
      return { oneOf: (schema.options as readonly Looked[]).map(describe) };
    case 'strict_object':
    case 'object':
      return objectSchema(schema.entries ?? {}, schema.type === 'object');
    default:
      throw new TypeError(`No JSON Schema for valibot's "${schema.type}": teach captive-portal/json-schema.ts.`);
  }
}

function objectSchema(entries: Readonly<Record<string, Looked>>, isOpen: boolean): JsonSchema {
  const properties = Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, describe(entry)]));
  const required = Object.keys(entries).filter((name) => entries[name]?.type !== 'optional');
  return { type: 'object', properties, required, ...(isOpen ? {} : { additionalProperties: false }) };
}

/** Lengths, and the sentences of checks that JSON Schema cannot express. */
function limits(
  steps: readonly { readonly type: string; readonly message?: unknown; readonly requirement?: unknown }[],
): JsonSchema {
  const texts = steps.flatMap(({ type, message }) =>
    type === 'check' && typeof message === 'string' ? [message] : [],
  );
  const length = steps.find(({ type }) => type === 'max_length')?.requirement;
  return {
    ...(length === undefined ? {} : { maxLength: length }),
    ...(texts.length > 0 && { description: texts.join('; ') }),
  };
}
