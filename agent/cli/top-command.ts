/** `shareagent top`: a live view of guests and earnings in the terminal. */
import {
  type Answer,
  type Command,
  CommandError,
  type CommandIo,
  EXIT,
  type ExitCode,
  type Invocation,
  usageError,
} from './command.ts';
import { redrawText, type Terminal } from './terminal.ts';
import { renderTop, renderTopContent, type TopFrame } from './top-frame.ts';
import { type Rate, ratesBetween, type TopRates, type TopSample, takeSample } from './top-sample.ts';

const INTERVAL_MS = 1_000;
/** No frame is longer: a ledger holds 4096 sessions. */
const ALL_ROWS = 10_000;
const NO_RATES: TopRates = { total: { down: 0, up: 0 }, bySession: new Map() };
const CTRL_C = '\x03';

export const topCommand: Command = {
  name: 'top',
  operands: '',
  summary: 'Live view of guests, rates and earnings; q quits.',
  details: ['With --once or --json two samples are taken a second apart, and one frame or document is printed.'],
  options: { once: { type: 'boolean', doc: 'Print a single frame instead of a live view.' } },
  run: async (invocation, io): Promise<Answer | ExitCode> => {
    if (invocation.flags['once'] === true || invocation.isJson) return await once(invocation, io);
    if (io.terminal === undefined) throw usageError('top needs a terminal; in a script use: top --once');
    return await live(invocation, io, io.terminal);
  },
};

async function once({ socketPath }: Invocation, io: CommandIo): Promise<Answer> {
  const before = await takeSample(socketPath, io.monotonicMs);
  await io.sleep(INTERVAL_MS, io.signal);
  const sample = await takeSample(socketPath, io.monotonicMs);
  const rates = ratesBetween(before, sample);
  const { columns } = io.size();
  const lines = renderTopContent({ sample, rates, columns, rows: ALL_ROWS, isColour: io.isColour });
  return { document: documentOf(sample, rates), text: lines.join('\n') };
}

type Live = { sample?: TopSample; frame: Pick<TopFrame, 'rates' | 'sample' | 'trouble'> };

async function live({ socketPath }: Invocation, io: CommandIo, terminal: Terminal): Promise<ExitCode> {
  const quit = new AbortController();
  const signal = AbortSignal.any([quit.signal, io.signal]);
  const view: Live = { frame: { rates: NO_RATES } };
  const draw = (): void =>
    terminal.write(redrawText(renderTop({ ...view.frame, ...io.size(), isColour: io.isColour })));
  const giveBack = terminal.takeOver({
    onKey: (key) => {
      if (key === 'q' || key === 'Q' || key === CTRL_C) quit.abort();
    },
    onResize: draw,
  });
  try {
    while (!signal.aborted) {
      await refresh(view, socketPath, io.monotonicMs);
      if (signal.aborted) break;
      draw();
      await io.sleep(INTERVAL_MS, signal);
    }
  } finally {
    giveBack();
  }
  return EXIT.ok;
}

/** A try that fails keeps the last sample on the screen, with the reason above it: the agent may only be restarting. */
async function refresh(view: Live, socketPath: string, monotonicMs: () => number): Promise<void> {
  try {
    const sample = await takeSample(socketPath, monotonicMs);
    view.frame = { sample, rates: ratesBetween(view.sample, sample) };
    view.sample = sample;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    view.frame = { ...view.frame, rates: NO_RATES, trouble: error.message };
  }
}

function documentOf({ status, sessions }: TopSample, { total, bySession }: TopRates): unknown {
  const rateOf = ({ down, up }: Rate) => ({ downBytesPerS: Math.round(down), upBytesPerS: Math.round(up) });
  return {
    status,
    rates: rateOf(total),
    sessions: sessions.map((session) => ({ ...session, rates: rateOf(bySession.get(session.id) ?? NO_RATES.total) })),
  };
}
