import t from 'tap';
import type { CommandIo } from '../../../agent/cli/command.ts';
import { redrawText, type Terminal, type TerminalListener } from '../../../agent/cli/terminal.ts';
import { listenSample, runLine } from './recording-io.ts';
import { sampleSessions, sampleStatus } from './sample-owner.ts';

/** A terminal that records frames and hands out the keys that the test gives it. */
function fakeTerminal() {
  const written: string[] = [];
  let listener: TerminalListener | undefined;
  let isGivenBack = false;
  const terminal: Terminal = {
    write: (text) => written.push(text),
    takeOver: (given) => {
      listener = given;
      return () => {
        isGivenBack = true;
      };
    },
  };
  return {
    terminal,
    written,
    press: (key: string) => listener?.onKey(key),
    resize: () => listener?.onResize(),
    isGivenBack: () => isGivenBack,
  };
}

/** One second per sleep; `during` runs in the n-th of them. */
function clock(during: (sleeps: number) => void | Promise<void>): Pick<CommandIo, 'monotonicMs' | 'sleep'> {
  let nowMs = 0;
  let sleeps = 0;
  return {
    monotonicMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      sleeps += 1;
      if (sleeps > 20) throw new Error('top did not end');
      await during(sleeps);
    },
  };
}

/** Sessions whose first one downloads 1 MB between any two looks. */
function movingSessions() {
  let looks = 0n;
  return () => {
    looks += 1n;
    return sampleSessions.map((session) =>
      session.id === 1 ? { ...session, downBytes: looks * 1_000_000n } : session,
    );
  };
}

t.test('a single frame has rates from two samples', async (t) => {
  const socket = await listenSample(t, { sessions: movingSessions() });
  const { exitCode, out } = await runLine(
    ['top', '--once', '--socket', socket],
    clock(() => undefined),
  );
  t.equal(exitCode, 0);
  t.match(out, '   1 aa:bb:cc:00:00:01 active  1.00 MB/s     0 B/s 3.50 MB [##........] 7.50 MB');
  t.equal(out.split('\n').length, 8);
});

t.test('as JSON it is one document with exact figures', async (t) => {
  const socket = await listenSample(t, { sessions: movingSessions() });
  const { out } = await runLine(
    ['top', '--json', '--socket', socket],
    clock(() => undefined),
  );
  const document = JSON.parse(out);
  t.match(document, {
    status: { earnedUnits: '123456' },
    rates: { downBytesPerS: 1_000_000, upBytesPerS: 0 },
  });
  t.match(document.sessions[0], { id: 1, downBytes: '2000000', rates: { downBytesPerS: 1_000_000, upBytesPerS: 0 } });
});

t.test('without a terminal the live view is refused', async (t) => {
  t.match(await runLine(['top', '--socket', '/nonexistent']), {
    exitCode: 2,
    err: /top needs a terminal; in a script use: top --once/,
  });
});

t.test('q and Ctrl-C end the live view and give the terminal back', async (t) => {
  for (const key of ['q', 'Q', '\x03']) {
    const fake = fakeTerminal();
    const socket = await listenSample(t, { sessions: movingSessions() });
    const during = (sleeps: number): void => {
      fake.press('x');
      if (sleeps === 2) fake.press(key);
    };
    const result = await runLine(['top', '--socket', socket], { terminal: fake.terminal, ...clock(during) });
    t.same(result, { exitCode: 0, out: '', err: '' });
    t.equal(fake.written.length, 2);
    t.match(fake.written[0], /active {10}- {9}- 2\.50 MB/);
    t.match(fake.written[1], /active {2}1\.00 MB\/s/);
    t.ok(fake.isGivenBack());
  }
});

t.test('a signal ends the live view', async (t) => {
  const fake = fakeTerminal();
  const stop = new AbortController();
  const during = (sleeps: number): void => (sleeps === 3 ? stop.abort() : undefined);
  await runLine(['top', '--socket', await listenSample(t)], {
    terminal: fake.terminal,
    signal: stop.signal,
    ...clock(during),
  });
  t.equal(fake.written.length, 3);
  t.ok(fake.isGivenBack());
});

t.test('a signal while the agent is asked draws nothing more', async (t) => {
  const fake = fakeTerminal();
  const stop = new AbortController();
  const status = () => {
    stop.abort();
    return sampleStatus;
  };
  const socket = await listenSample(t, { status });
  await runLine(['top', '--socket', socket], {
    terminal: fake.terminal,
    signal: stop.signal,
    ...clock(() => undefined),
  });
  t.equal(fake.written.length, 0);
  t.ok(fake.isGivenBack());
});

t.test('a resize draws at once in the new size', async (t) => {
  const fake = fakeTerminal();
  let size = { columns: 80, rows: 24 };
  const during = (sleeps: number): void => {
    size = { columns: 40, rows: 6 };
    fake.resize();
    if (sleeps === 1) fake.press('q');
  };
  await runLine(['top', '--socket', await listenSample(t)], {
    terminal: fake.terminal,
    size: () => size,
    ...clock(during),
  });
  t.equal(fake.written[0]?.split('\r\n').length, 24);
  t.equal(fake.written[1]?.split('\r\n').length, 6);
});

t.test('an agent that goes away and comes back stays on the screen, with the reason', async (t) => {
  const fake = fakeTerminal();
  let isDown = false;
  const status = () => {
    if (isDown) throw new Error('restarting');
    return sampleStatus;
  };
  const during = (sleeps: number): void => {
    isDown = sleeps === 1;
    if (sleeps === 3) fake.press('q');
  };
  const socket = await listenSample(t, { status });
  await runLine(['top', '--socket', socket], { terminal: fake.terminal, ...clock(during) });
  t.notMatch(fake.written[0], 'restarting');
  t.match(fake.written[1], 'restarting');
  t.match(fake.written[1], 'aa:bb:cc:00:00:01');
  t.notMatch(fake.written[2], 'restarting');
});

t.test('an agent that never answers is shown as trouble, and the terminal comes back', async (t) => {
  const fake = fakeTerminal();
  await runLine(['top', '--socket', '/nonexistent/c.sock'], {
    terminal: fake.terminal,
    ...clock(() => fake.press('q')),
  });
  t.match(fake.written[0], 'The agent is not running');
  t.ok(fake.isGivenBack());
});

t.test('a bug gives the terminal back too', async (t) => {
  const fake = fakeTerminal();
  const broken = { sleep: () => Promise.reject(new Error('bug')), monotonicMs: () => 0 };
  await t.rejects(runLine(['top', '--socket', await listenSample(t)], { terminal: fake.terminal, ...broken }), /bug/);
  t.ok(fake.isGivenBack());
});

t.test('a frame is drawn over the one before, line by line', (t) => {
  t.equal(redrawText(['a', 'b']), '\x1b[H\x1b[2Ka\r\n\x1b[Jb');
  t.end();
});
