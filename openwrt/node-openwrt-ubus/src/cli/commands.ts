/**
 * The commands of `ubus`, one function each, with the output and the return values of the real one (ubus cli.c). A positive
 * value is a ubus status, which the caller prints; -1 has been explained already; -2 asks for the usage.
 */
import { BlobWriter } from '../blob.ts';
import { BlobmsgType, tableFromBytes, writeFields } from '../blobmsg.ts';
import type { UbusConnection } from '../connection.ts';
import { type Message, MessageType } from '../message.ts';
import { type MonitoredMessage, startMonitor } from '../monitor.ts';
import type { RequestOptions } from '../pending.ts';
import { addObject, EVENT_OBJECT, registerEvents, subscribe } from '../requests.ts';
import { statusText, UbusError, UbusStatus } from '../status.ts';
import { fieldsFromJson } from './json-arguments.ts';
import { jsonText, signatureTexts } from './json-text.ts';
import { monitorText } from './monitor-text.ts';
import type { CliOptions } from './options.ts';

/** Where a command prints, and what ends one that runs until it is told to. */
export type CliOutput = {
  /** Standard output; one character for each byte. */
  readonly print: (text: string) => void;
  /** Standard error. */
  readonly warn: (text: string) => void;
  /** The real command prints less, and returns other codes, if standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Resolves at SIGINT or SIGTERM. */
  readonly interrupted: () => Promise<void>;
};

/** What a command works with. */
export type Session = {
  readonly connection: UbusConnection;
  readonly options: CliOptions;
  readonly output: CliOutput;
  /** Resolves when ubusd hangs up. */
  readonly closed: Promise<unknown>;
};

export type Command = (session: Session, args: readonly string[]) => Promise<number>;

export const COMMANDS: Readonly<Record<string, Command>> = {
  list,
  call,
  listen,
  subscribe: subscribeCommand,
  send,
  wait_for: waitFor,
  monitor,
};

const USAGE = -2;
const FAILED = -1;

/** The real command gives system requests no time limit. */
const PATIENT: RequestOptions = { timeoutMs: Number.POSITIVE_INFINITY };

async function list({ connection, options, output }: Session, args: readonly string[]): Promise<number> {
  if (args.length > 1) return USAGE;
  return await lookUp(connection, args[0], ({ path, id, signature }) => {
    const name = bytesText(path);
    if (options.isSimple || !options.isVerbose) return output.print(`${name}\n`);
    output.print(`'${name}' @${id.toString(16).padStart(8, '0')}\n`);
    for (const text of signatureTexts(signature)) output.print(`\t${text}\n`);
  });
}

async function call({ connection, options, output }: Session, args: readonly string[]): Promise<number> {
  const [path, method, json] = args;
  if (path === undefined || method === undefined || args.length > 3) return USAGE;
  const failed = (status: number): number => {
    if (options.isSimple || output.isTerminal) return status;
    output.warn(
      `Command failed: ubus call ${args.map((argument) => `${argument} `).join('')}(${statusText(status)})\n`,
    );
    return -status;
  };
  const data = bytesFromJson(json);
  if (data === undefined) return failed(UbusStatus.PARSE_ERROR);
  let objectId: number | undefined;
  const found = await lookUp(connection, path, ({ id }) => {
    objectId = id;
  });
  if (found !== UbusStatus.OK) return found;
  // STATUS 0 without an object: access rules hide it. The real command goes on with an id that it never set.
  if (objectId === undefined) return UbusStatus.NOT_FOUND;
  const timeoutMs = options.timeoutS === 0 ? Number.POSITIVE_INFINITY : options.timeoutS * 1_000;
  const status = await statusOf(
    connection.request(
      MessageType.INVOKE,
      objectId,
      { objectId, method, data },
      'call',
      (reply) => {
        if (reply.data !== undefined) output.print(`${jsonText(reply.data, !options.isSimple)}\n`);
      },
      { timeoutMs },
    ),
  );
  return status === UbusStatus.OK ? status : failed(status);
}

async function listen(session: Session, args: readonly string[]): Promise<number> {
  const { connection, options } = session;
  let current = '*';
  const status = await statusOf(
    (async () => {
      const objectId = await addObject(connection, { onInvoke: eventPrinter(session) });
      for (const pattern of args.length === 0 ? ['*'] : args) {
        current = pattern;
        await registerEvents(connection, objectId, pattern);
      }
    })(),
  );
  if (status !== UbusStatus.OK) return registeringFailed(session, current, status);
  await ended(session, options.listenS);
  return UbusStatus.OK;
}

async function subscribeCommand(session: Session, args: readonly string[]): Promise<number> {
  const { connection, options, output } = session;
  const [first] = args;
  if (first === undefined) {
    if (!options.isSimple) output.warn('You need to specify an object to subscribe to\n');
    return FAILED;
  }
  const status = await statusOf(
    (async () => {
      const subscriberId = await addObject(connection, { onInvoke: eventPrinter(session) });
      for (const path of args) {
        let target: number | undefined;
        const found = await lookUp(connection, path, ({ id }) => {
          target = id;
        });
        if (found !== UbusStatus.OK) throw new UbusError(found, 'lookup');
        if (target === undefined) throw new UbusError(UbusStatus.NOT_FOUND, 'lookup');
        await subscribe(connection, subscriberId, target, 'subscribe');
      }
    })(),
  );
  if (status !== UbusStatus.OK) return registeringFailed(session, first, status);
  await ended(session, options.listenS);
  return UbusStatus.OK;
}

async function send({ connection }: Session, args: readonly string[]): Promise<number> {
  const [id, json] = args;
  if (id === undefined || args.length > 2) return USAGE;
  const data = bytesFromJson(json);
  if (data === undefined) return UbusStatus.PARSE_ERROR;
  const writer = new BlobWriter();
  writeFields(writer, [{ name: 'id', type: BlobmsgType.STRING, value: id }]);
  const start = writer.begin(BlobmsgType.TABLE, true);
  writer.name('data');
  writer.raw(data);
  writer.end(start);
  const attributes = { objectId: EVENT_OBJECT, method: 'send', data: writer.bytes() };
  const none = (): void => undefined;
  return await statusOf(connection.request(MessageType.INVOKE, EVENT_OBJECT, attributes, 'send', none, PATIENT));
}

async function waitFor(session: Session, args: readonly string[]): Promise<number> {
  if (args.length === 0) return USAGE;
  const { connection, options } = session;
  const missing = new Set(args);
  let onAllThere: () => void = () => undefined;
  const allThere = new Promise<void>((resolve) => {
    onAllThere = resolve;
  });
  const check = (path: string): void => {
    missing.delete(path);
    if (missing.size === 0) onAllThere();
  };
  const onInvoke = ({ attributes }: Message): void => {
    const path = attributes.data === undefined ? undefined : tableFromBytes(attributes.data)['path'];
    if (attributes.method === 'ubus.object.add' && typeof path === 'string') check(path);
  };
  const registered = await statusOf(
    addObject(connection, { onInvoke }).then((id) => registerEvents(connection, id, 'ubus.object.add')),
  );
  if (registered !== UbusStatus.OK) return registered;
  const found = await lookUp(connection, undefined, ({ path }) => check(path));
  if (found !== UbusStatus.OK || missing.size === 0) return found;
  // Here, unlike for call, 0 seconds are none.
  await ended(session, options.timeoutS, allThere);
  return missing.size === 0 ? UbusStatus.OK : UbusStatus.TIMEOUT;
}

async function monitor(session: Session): Promise<number> {
  const { connection, options, output } = session;
  const print = (message: MonitoredMessage | undefined): void => {
    if (message === undefined) output.print('Invalid monitor msg\n');
    else if (isWanted(message, options)) output.print(`${monitorText(message)}\n`);
  };
  const status = await statusOf(startMonitor(connection, print));
  if (status !== UbusStatus.OK) return status;
  await ended(session, 0);
  return UbusStatus.OK;
}

function isWanted({ type, isSent }: MonitoredMessage, { types, direction }: CliOptions): boolean {
  if (types.size > 0 && type < 32 && !types.has(type)) return false;
  return direction === undefined || isSent === (direction === 't');
}

type FoundObject = { readonly path: string; readonly id: number; readonly signature: Buffer };

/** Status of a LOOKUP; without a path, of everything. */
async function lookUp(
  connection: UbusConnection,
  objectPath: string | undefined,
  onObject: (object: FoundObject) => void,
): Promise<number> {
  // What ubusd says today; before 24.10 it reads out of bounds.
  if (objectPath === '') return UbusStatus.INVALID_ARGUMENT;
  const attributes = objectPath === undefined ? {} : { objectPath };
  const onData = ({ objectPath: path, objectId: id, objectType, signature }: Message['attributes']): void => {
    if (path !== undefined && id !== undefined && objectType !== undefined)
      onObject({ path, id, signature: signature ?? Buffer.alloc(0) });
  };
  return await statusOf(connection.request(MessageType.LOOKUP, 0, attributes, 'lookup', onData, PATIENT));
}

async function statusOf(request: Promise<unknown>): Promise<number> {
  try {
    await request;
    return UbusStatus.OK;
  } catch (error) {
    if (error instanceof UbusError) return error.status;
    throw error;
  }
}

/** Resolves after so many seconds, when ubusd hangs up, at a signal, or with `done`. */
async function ended({ closed, output }: Session, seconds: number, done?: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const ends = [closed, output.interrupted()];
  if (done !== undefined) ends.push(done);
  if (done !== undefined || seconds > 0)
    ends.push(
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, seconds * 1_000);
      }),
    );
  await Promise.race(ends);
  clearTimeout(timer);
}

function registeringFailed({ options, output }: Session, what: string, status: number): number {
  if (!options.isSimple) output.warn(`Error while registering for event '${what}': ${statusText(status)}\n`);
  return FAILED;
}

/** Prints what comes for our object, and answers it where libubus does. */
function eventPrinter({ connection, output }: Session): (message: Message) => void {
  return ({ seq, peer, attributes }) => {
    const data = attributes.data === undefined ? '(null)' : jsonText(attributes.data, false);
    output.print(`{ "${bytesText(attributes.method ?? '')}": ${data} }\n`);
    const answer = { status: UbusStatus.OK, objectId: attributes.objectId as number };
    if (attributes.noReply !== 1) connection.post(MessageType.STATUS, seq, peer, answer, 'answer');
  };
}

/** Payload of DATA; undefined if the text is not a JSON object. */
function bytesFromJson(json: string | undefined): Buffer | undefined {
  if (json === undefined) return Buffer.alloc(0);
  try {
    const writer = new BlobWriter();
    writeFields(writer, fieldsFromJson(json));
    return writer.bytes();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** One character for each byte, as CliOutput.print takes it. */
function bytesText(text: string): string {
  return Buffer.from(text).toString('latin1');
}
