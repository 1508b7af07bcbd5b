/**
 * The page and its parts, made and compressed once, when first asked for (ten languages at start cost a tenth of a second), and
 * served from memory by a fixed map of paths: no file is looked up by name. The page itself comes in the language that the guest
 * asks for, with ?lang= or by Accept-Language. Answers depend on the request alone: the fast lane may give them again.
 */
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FastLane } from './fast-lane.ts';
import { lookStyle, type OwnerFiles } from './owner-look.ts';
import { LANGUAGES, type Language, type LanguageCode, languageFrom, languageOfTag } from './page/language.ts';
import type { PageAssets } from './page-assets.ts';
import { pageDocument } from './page-document.ts';
import type { PortalConfig } from './portal-config.ts';
import { FILE_SCHEMA } from './route-schemas.ts';

type StaticFile = { readonly type: string; readonly plain: Buffer; readonly gzipped: Buffer };

export function addStaticPage(
  app: FastifyInstance,
  assets: PageAssets,
  portal: PortalConfig['portal'],
  files: OwnerFiles,
  lane: FastLane,
): void {
  const page = (language: Language) =>
    fileOf('text/html; charset=utf-8', pageDocument({ template: assets.html, portal, files }, language));
  const pages = new Map<LanguageCode, () => StaticFile>(
    LANGUAGES.map((language) => [language.code, once(() => page(language))]),
  );
  app.get('/', { schema: FILE_SCHEMA }, (request, reply) => {
    void reply.header('vary', 'accept-encoding, accept-language');
    return sendFile(lane, request, reply, (pages.get(languageOf(request).code) as () => StaticFile)());
  });
  const { logo } = files;
  const parts: readonly (readonly [path: string, make: () => StaticFile])[] = [
    ['/page.js', () => fileOf('text/javascript; charset=utf-8', assets.script)],
    ['/page.css', () => fileOf('text/css; charset=utf-8', assets.style + lookStyle(portal))],
    ['/icon.svg', () => fileOf('image/svg+xml', assets.icon)],
    ...(logo === undefined ? [] : [['/logo', () => fileOf(logo.type, logo.bytes)] as const]),
  ];
  for (const [path, make] of parts) {
    const file = once(make);
    app.get(path, { schema: FILE_SCHEMA }, (request, reply) =>
      sendFile(lane, request, reply.header('vary', 'accept-encoding'), file()),
    );
  }
}

/** The language of a request: what its address names, else what its browser prefers. */
export function languageOf({ query, headers }: FastifyRequest): Language {
  const { lang } = query as Readonly<Record<string, unknown>>;
  const asked = typeof lang === 'string' ? languageOfTag(lang) : undefined;
  return asked ?? languageFrom(headers['accept-language']);
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function fileOf(type: string, content: string | Buffer): StaticFile {
  const plain = Buffer.from(content);
  return { type, plain, gzipped: gzipSync(plain, { level: 9 }) };
}

function sendFile(lane: FastLane, request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  const isGzipped = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  const body = isGzipped ? file.gzipped : file.plain;
  void reply.type(file.type);
  if (isGzipped) void reply.header('content-encoding', 'gzip');
  lane.learn(request.raw, reply, body);
  return reply.send(body);
}
