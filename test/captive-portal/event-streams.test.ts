import { EventEmitter, once } from 'node:events';
import { get, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import t from 'tap';
import type { Mac } from '../../agent/core/model.ts';
import type { GuestView } from '../../agent/ports.ts';
import { EventStreams } from '../../captive-portal/event-streams.ts';
import {
  MAX_STREAM_BACKLOG_BYTES,
  MAX_STREAM_BEATS,
  MAX_STREAMS,
  MAX_STREAMS_PER_GUEST,
} from '../../captive-portal/limits.ts';
import { viewJsonFromView } from '../../captive-portal/view-json.ts';
import { byGuest, cafe, GUEST, GUEST_ADDRESS, HOST, view } from './support/cafe.ts';
import { scriptedDesk } from './support/scripted-desk.ts';

/** A response that keeps what was written and says how much of it is unread. */
class FakeResponse extends EventEmitter {
  written = '';
  writableLength = 0;
  destroyed = false;
  readonly socket = { destroyed: false };
  isEnded = false;

  write(text: string): void {
    this.written += text;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  end(): void {
    this.isEnded = true;
    this.emit('close');
  }
}

function opened(streams: EventStreams, mac: Mac = GUEST): FakeResponse {
  const response = new FakeResponse();
  streams.open(mac, response as unknown as ServerResponse);
  return response;
}

/** A desk whose view the test changes; listeners hear of it. */
function watched() {
  const listeners = new Set<(view: GuestView) => void>();
  let current = view();
  const desk = scriptedDesk({
    view: () => current,
    watch: (_mac, listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  const change = (next: GuestView) => {
    current = next;
    for (const listener of listeners) listener(next);
  };
  return { desk, listeners, change };
}

function eventOf(shown: GuestView): string {
  return `event: view\ndata: ${JSON.stringify(viewJsonFromView(shown))}\n\n`;
}

t.test('a stream begins with the view and follows its changes', (t) => {
  const { desk, change } = watched();
  const streams = new EventStreams(desk);
  const response = opened(streams);
  const next = view({ phase: 'trial', isOnline: true, downBytes: 5n });
  change(next);
  t.equal(response.written, `retry: 3000\n\n${eventOf(view())}${eventOf(next)}`);
  streams.close();
  t.end();
});

t.test('a heartbeat repeats the view', (t) => {
  const { desk } = watched();
  const streams = new EventStreams(desk);
  const response = opened(streams);
  response.written = '';
  streams.beat();
  t.equal(response.written, eventOf(view()));
  streams.close();
  t.end();
});

t.test('a reader that is behind misses views, and is ended at the next heartbeat', (t) => {
  const { desk, change, listeners } = watched();
  const streams = new EventStreams(desk);
  const response = opened(streams);
  response.written = '';
  response.writableLength = MAX_STREAM_BACKLOG_BYTES + 1;
  change(view({ downBytes: 1n }));
  t.equal(response.written, '');
  streams.beat();
  t.equal(response.destroyed, true);
  t.equal(streams.size, 0);
  t.equal(listeners.size, 0, 'nobody watches for it any more');
  streams.close();
  t.end();
});

t.test('a stream ends after five minutes: phones that went away say no goodbye', (t) => {
  const { desk, listeners } = watched();
  const streams = new EventStreams(desk);
  const gone = opened(streams);
  streams.beat();
  const younger = opened(streams);
  for (let i = 1; i < MAX_STREAM_BEATS; i++) streams.beat();
  t.match(
    { gone: gone.isEnded, younger: younger.isEnded, size: streams.size },
    { gone: true, younger: false, size: 1 },
  );
  streams.beat();
  t.equal(younger.isEnded, true);
  t.equal(listeners.size, 0);
  streams.close();
  t.end();
});

t.test('made-up guests that hold every stream make way for one who has none', (t) => {
  const { desk } = watched();
  const streams = new EventStreams(desk);
  const greedy = Array.from({ length: MAX_STREAMS }, (_, i) =>
    opened(streams, `aa:bb:cc:01:00:${Math.floor(i / MAX_STREAMS_PER_GUEST)}` as Mac),
  );
  t.ok(streams.hasRoomFor(GUEST));
  const response = opened(streams);
  t.match(response.written, 'event: view');
  t.equal(response.destroyed, false);
  t.equal(greedy.filter(({ destroyed }) => destroyed).length, 1);
  t.equal(streams.size, MAX_STREAMS);
  streams.close();
  t.end();
});

t.test('streams are bounded per guest and in all, and a closed one makes room', (t) => {
  const { desk } = watched();
  const streams = new EventStreams(desk);
  const own = Array.from({ length: MAX_STREAMS_PER_GUEST }, () => opened(streams));
  t.notOk(streams.hasRoomFor(GUEST));
  t.ok(streams.hasRoomFor('aa:bb:cc:00:00:02' as Mac));
  own[0]?.destroy();
  t.ok(streams.hasRoomFor(GUEST));
  own[1]?.destroy();
  for (let i = streams.size; i < MAX_STREAMS; i++) opened(streams, `aa:bb:cc:01:00:${i}` as Mac);
  const late = 'aa:bb:cc:00:00:02' as Mac;
  t.notOk(streams.hasRoomFor(late), 'one each, and no more of them');
  t.equal(opened(streams, late).destroyed, true);
  streams.close();
  t.equal(streams.size, 0);
  t.end();
});

t.test('over HTTP the stream has its type, no cache, and ends when the portal closes', async (t) => {
  const { desk, change } = watched();
  const { app } = await cafe({ ...desk, identify: () => Promise.resolve(GUEST) });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const ask = async (): Promise<IncomingMessage> => {
    const request = get({ port, host: '127.0.0.1', path: '/api/events', headers: { host: HOST } });
    request.on('error', () => {});
    return ((await once(request, 'response')) as [IncomingMessage])[0];
  };
  const response = await ask();
  t.equal(response.statusCode, 200);
  t.equal(response.headers['content-type'], 'text/event-stream');
  t.equal(response.headers['cache-control'], 'no-store');
  t.match(response.headers['content-security-policy'], /default-src 'self'/);
  let heard = '';
  response.on('data', (data) => {
    heard += data;
  });
  response.on('error', () => {});
  change(view({ phase: 'trial', downBytes: 99n }));
  while (!heard.includes('"downBytes":"99"')) await once(response, 'data');
  const others = [await ask(), await ask()];
  const refused = await ask();
  t.equal(refused.statusCode, 429);
  const closed = [response, ...others].map((stream) => once(stream.on('error', () => {}).resume(), 'close'));
  await app.close();
  await Promise.all(closed);
});

t.test('a HEAD request opens no stream', async (t) => {
  const { app } = await cafe();
  const response = await app.inject({ ...byGuest('HEAD', '/api/events'), remoteAddress: GUEST_ADDRESS });
  t.equal(response.statusCode, 404);
});

t.test('one who hangs up while the kernel is asked who it is holds no stream', async (t) => {
  let isAsked = () => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  let answer = (_mac: Mac) => {};
  let watching = 0;
  const { app } = await cafe({
    // The first question is the connection cap's, the second the route's.
    identify: () => {
      isAsked();
      return new Promise((resolve) => {
        const before = answer;
        answer = (mac) => {
          before(mac);
          resolve(mac);
        };
      });
    },
    view: () => view(),
    watch: () => {
      watching += 1;
      return () => {
        watching -= 1;
      };
    },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const gone = new Promise<void>((resolve) => {
    app.server.prependListener('connection', (socket) => socket.once('close', () => setImmediate(resolve)));
  });
  const { port } = app.server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`GET /api/events HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
  await asked;
  await once(app.server, 'request');
  socket.resetAndDestroy();
  await gone;
  answer(GUEST);
  await new Promise((resolve) => setImmediate(resolve));
  t.equal(watching, 0);
  await app.close();
});

t.test('a stream asked for behind another one is refused with its connection', async (t) => {
  const { desk, listeners } = watched();
  const { app } = await cafe({ ...desk, identify: () => Promise.resolve(GUEST) });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {}).resume();
  socket.write(`GET /api/events HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(3));
  await once(socket, 'data');
  socket.destroy();
  await once(socket, 'close');
  for (let i = 0; i < 100 && listeners.size > 0; i++) await new Promise((resolve) => setImmediate(resolve));
  t.equal(listeners.size, 0);
  await app.close();
});

t.test('two pages of one guest are told by one look', (t) => {
  const { desk, change, listeners } = watched();
  const streams = new EventStreams(desk);
  const [first, second] = [opened(streams), opened(streams)];
  t.equal(listeners.size, 1);
  change(view({ downBytes: 7n }));
  t.equal(first.written, second.written);
  t.match(second.written, '"downBytes":"7"');
  first.destroy();
  t.equal(listeners.size, 1);
  second.destroy();
  t.equal(listeners.size, 0);
  streams.close();
  t.end();
});
