/** The page and its parts, compressed once at start, served from memory by a fixed map of paths: no file is looked up by name. */
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { escapeHtml } from './html.ts';
import type { PageAssets } from './page-assets.ts';

/** Stands in page.html where the owner's name goes. */
export const NAME_PLACEHOLDER = '{{name}}';

type StaticFile = { readonly type: string; readonly plain: Buffer; readonly gzipped: Buffer };

export function addStaticPage(app: FastifyInstance, assets: PageAssets, ownerName: string): void {
  const html = assets.html.replaceAll(NAME_PLACEHOLDER, escapeHtml(ownerName));
  const files: readonly (readonly [path: string, file: StaticFile])[] = [
    ['/', fileOf('text/html; charset=utf-8', html)],
    ['/page.js', fileOf('text/javascript; charset=utf-8', assets.script)],
    ['/page.css', fileOf('text/css; charset=utf-8', assets.style)],
    ['/icon.svg', fileOf('image/svg+xml', assets.icon)],
  ];
  for (const [path, file] of files) app.get(path, (request, reply) => sendFile(request, reply, file));
}

function fileOf(type: string, text: string): StaticFile {
  const plain = Buffer.from(text);
  return { type, plain, gzipped: gzipSync(plain, { level: 9 }) };
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  void reply.type(file.type).header('vary', 'accept-encoding');
  if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(file.plain);
  return reply.header('content-encoding', 'gzip').send(file.gzipped);
}
