/** Answers bytes that never became a request: garbage, endless headers, or headers that never ended. Then hangs up. */
import type { Socket } from 'node:net';
import { ANSWER_HEADERS } from './answer-headers.ts';
import { PROBLEM_MEDIA_TYPE, type Problem, problemJson } from './problem.ts';

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = problemJson({ reason: reasonOf(error.code) });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Connection: close',
    ...Object.entries(ANSWER_HEADERS).map(([name, value]) => `${name}: ${value}`),
    `Content-Type: ${PROBLEM_MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // Destroyed once sent: a client that goes on sending must not hold the connection half open.
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function reasonOf(code: string | undefined): Problem['reason'] {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'too-slow' : 'malformed';
}
