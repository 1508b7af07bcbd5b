/**
 * What each route takes and answers, as Fastify is told. The schemas are valibot's, those that the protocol decodes by, and the ones from
 * which the OpenAPI document is made: a second compiler of schemas would cost the router a megabyte and say the same in other words.
 */
import type { FastifyInstance, FastifySchema, RouteOptions } from 'fastify';
import * as v from 'valibot';
import { decode, type Refusal } from '../protocol/schema.ts';
import { problemAnswer } from './answer-schemas.ts';
import { ANSWERS, OPERATIONS } from './openapi.ts';

/** A part of the request is not what its schema says. Thrown to Fastify, answered 400. */
export class MalformedRequestError extends Error {
  readonly code = 'PORTAL_MALFORMED_REQUEST';
  readonly refusal: Refusal;

  constructor(part: string, { path, expected, got }: Refusal) {
    super(`Request ${part} is malformed: expected ${path === '' ? part : path} to be ${expected}, got ${got}.`);
    this.name = 'MalformedRequestError';
    this.refusal = { path: path === '' ? part : path, expected, got };
  }
}

const text = v.optional(v.string());
/** Programs add what they like to an address; of the page only the language counts, named once or not at all. */
const pageQuery = v.object({ lang: v.optional(v.union([v.string(), v.array(v.string())])) });
const pageHeaders = v.object({ 'accept-language': text, 'accept-encoding': text });
const apiHeaders = v.object({ accept: text, 'if-none-match': text });
/** A form of the page; those without fields send an empty one or none. */
const form = v.nullish(v.union([v.instance(URLSearchParams), v.strictObject({})]));
const html = v.string();

export const FILE_SCHEMA: FastifySchema = {
  querystring: pageQuery,
  headers: pageHeaders,
  response: { 200: v.instance(Buffer), '4xx': problemAnswer, '5xx': problemAnswer },
};
export const STATUS_SCHEMA: FastifySchema = {
  querystring: pageQuery,
  headers: pageHeaders,
  response: { 200: html, '4xx': html, '5xx': html },
};
export const FORM_SCHEMA: FastifySchema = {
  ...STATUS_SCHEMA,
  body: form,
  response: { 303: html, '4xx': html, '5xx': html },
};
export const DOCUMENT_SCHEMA: FastifySchema = {
  querystring: v.object({}),
  response: { 200: v.string(), '4xx': problemAnswer, '5xx': problemAnswer },
};

/** Of actions that need no body. */
export const NOTHING = v.strictObject({});

/** The schema of a route of the API. @throws Error if the OpenAPI document says something else of it, or nothing. */
export function apiSchema(method: 'get' | 'post', path: string, body: v.GenericSchema = NOTHING): FastifySchema {
  const operation = OPERATIONS.find((known) => known.method === method && known.path === path);
  if (operation === undefined || (operation.body ?? NOTHING) !== body)
    throw new Error(`${method} ${path} is not in captive-portal/openapi.ts, or with another body: describe it there.`);
  const isOptional = operation.body === undefined || operation.isBodyOptional === true;
  return {
    querystring: v.object({}),
    headers: apiHeaders,
    ...(method === 'post' && { body: isOptional ? orNothing(body) : body }),
    response: {
      200: ANSWERS[operation.answer.ref],
      ...(operation.mayBeEmpty && { 204: v.null() }),
      ...(operation.isCached && { 304: v.null() }),
      '4xx': problemAnswer,
      '5xx': problemAnswer,
    },
  };
}

/** Makes Fastify check requests by the schemas, and refuse to be built with a route that has none. */
export function useSchemas(app: FastifyInstance): void {
  app.setValidatorCompiler<v.GenericSchema>(({ schema, httpPart = 'request' }) => (value: unknown) => {
    const decoded = decode(schema, value);
    if (!decoded.ok) return { error: new MalformedRequestError(httpPart, decoded) };
    // Only bodies are made into something else: of the rest much is not looked at, and stays.
    return httpPart === 'body' ? { value: decoded.value } : {};
  });
  // What is sent is bytes already; only answers of Fastify's own would come here, and there are none.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.addHook('onRoute', requireSchema);
}

/** @throws Error naming the route and the part that nothing describes. */
function requireSchema({ method, url, schema }: RouteOptions): void {
  const methods = [method].flat();
  const parts = [
    'querystring',
    'response',
    ...(methods.some((name) => !['GET', 'HEAD'].includes(name)) ? ['body'] : []),
    ...(/[:*]/.test(url) ? ['params'] : []),
  ] as const;
  const missing = parts.filter((part) => schema?.[part as keyof FastifySchema] === undefined);
  if (missing.length > 0)
    throw new Error(`${methods.join(' and ')} ${url} has no schema for its ${missing.join(' and ')}.`);
}

/** No body and an empty object say nothing, and are taken for nothing. */
function orNothing(schema: v.GenericSchema): v.GenericSchema {
  const nothing = v.pipe(
    v.unknown(),
    v.transform(() => ({})),
  );
  return v.lazy((input) => (isNothing(input) ? nothing : schema));
}

function isNothing(input: unknown): boolean {
  return input === undefined || input === null || (typeof input === 'object' && Object.keys(input).length === 0);
}
