import type { Socket } from 'node:net';
import t from 'tap';
import { answerClientError } from '../../captive-portal/client-error.ts';

function fakeSocket(writable: boolean) {
  const state = { said: '', isDestroyed: false };
  const socket = {
    writable,
    end: (text: string, sent: () => void) => {
      state.said = text;
      sent();
    },
    destroy: () => {
      state.isDestroyed = true;
    },
  };
  return { state, socket: socket as unknown as Socket };
}

t.test('each kind of broken request gets its own status and is hung up on', (t) => {
  const cases = [
    ['HPE_HEADER_OVERFLOW', /^HTTP\/1\.1 431 Headers too large\r\n/],
    ['ERR_HTTP_REQUEST_TIMEOUT', /^HTTP\/1\.1 408 /],
    ['HPE_INVALID_METHOD', /^HTTP\/1\.1 400 /],
  ] as const;
  for (const [code, expected] of cases) {
    const { state, socket } = fakeSocket(true);
    answerClientError(Object.assign(new Error('parse'), { code }), socket);
    t.match(state.said, expected);
    t.match(state.said, /\r\nConnection: close\r\n/);
    const [head = '', body = ''] = state.said.split('\r\n\r\n');
    t.match(head, `Content-Length: ${Buffer.byteLength(body)}`);
    t.ok(JSON.parse(body).detail);
    t.equal(state.isDestroyed, true);
  }
  t.end();
});

t.test('a client that is gone gets nothing', (t) => {
  for (const [code, writable] of [
    ['ECONNRESET', true],
    ['HPE_INVALID_METHOD', false],
  ] as const) {
    const { state, socket } = fakeSocket(writable);
    answerClientError(Object.assign(new Error('gone'), { code }), socket);
    t.strictSame(state, { said: '', isDestroyed: true });
  }
  t.end();
});
