/** Asks the running agent over its control socket (agent/owner/control.ts), and says what to do when it does not answer. */
import { type IncomingMessage, request } from 'node:http';
import * as v from 'valibot';
import { CommandError, EXIT } from './command.ts';

/** The agent answers from memory; ending a session waits for the kernel. */
const TIMEOUT_MS = 10_000;
/** 4096 sessions of some 400 bytes, four times over. */
const MAX_ANSWER_BYTES = 8_000_000;

const refusalSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

export type ControlRequest = {
  readonly socketPath: string;
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly timeoutMs?: number;
};

/** The answer's JSON. @throws CommandError: agent-not-running (exit code 3), forbidden, timeout, bad-answer, or the agent's own refusal. */
export async function askAgent(asked: ControlRequest): Promise<unknown> {
  const { status, text } = await exchange(asked);
  const document = parseJson(text);
  if (status === 200 && document !== undefined) return document;
  const refusal = v.safeParse(refusalSchema, document);
  if (refusal.success) throw new CommandError(EXIT.failed, refusal.output.error.code, refusal.output.error.message);
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  throw new CommandError(EXIT.failed, 'bad-answer', `The agent must answer with JSON, got status ${status}: ${shown}`);
}

/** An answer in the shape that this version of the command line knows. */
export async function askAgentFor<Schema extends v.GenericSchema>(
  schema: Schema,
  asked: ControlRequest,
): Promise<{ readonly document: unknown; readonly value: v.InferOutput<Schema> }> {
  const document = await askAgent(asked);
  const result = v.safeParse(schema, document, { abortEarly: true });
  if (result.success) return { document, value: result.output };
  const where = v.getDotPath(result.issues[0]) ?? 'the answer';
  const message = `The agent's answer is not of this version (${where}); restart it: service shareagent restart`;
  throw new CommandError(EXIT.failed, 'bad-answer', message);
}

async function exchange(asked: ControlRequest): Promise<{ readonly status: number; readonly text: string }> {
  const signal = AbortSignal.timeout(asked.timeoutMs ?? TIMEOUT_MS);
  try {
    return await send(asked, signal);
  } catch (error) {
    throw failureFrom(error, asked, signal.aborted);
  }
}

async function send(
  { socketPath, method = 'GET', path }: ControlRequest,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request({ socketPath, method, path, signal, headers: { host: 'agent', connection: 'close' } });
    sent.once('response', resolve);
    sent.once('error', reject);
    sent.end();
  });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new RangeError(`answer must have at most ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') };
}

function failureFrom(
  error: unknown,
  { socketPath, timeoutMs = TIMEOUT_MS }: ControlRequest,
  isTimeout: boolean,
): CommandError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const options = { cause: error };
  if (isTimeout) {
    const message = `The agent did not answer within ${timeoutMs / 1000} s; see what it does: logread -e shareagent`;
    return new CommandError(EXIT.failed, 'timeout', message, options);
  }
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    const message = `The agent is not running (nothing answers on ${socketPath}). Start it: service shareagent start. Why it stopped: logread -e shareagent`;
    return new CommandError(EXIT.notRunning, 'agent-not-running', message, options);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new CommandError(
      EXIT.failed,
      'forbidden',
      `${socketPath} may be opened by the agent's user and root only; run as root.`,
      options,
    );
  }
  const message = error instanceof Error ? error.message : String(error);
  return new CommandError(
    EXIT.failed,
    'control-failed',
    `Asking the agent on ${socketPath} failed: ${message}`,
    options,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller reports what came instead.
    return undefined;
  }
}
