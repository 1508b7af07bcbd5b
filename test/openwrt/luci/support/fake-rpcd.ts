/**
 * rpcd behind uhttpd as LuCI's pages see it: JSON-RPC over POST, answers by access list. The rights are those of the
 * app's own acl.d file plus what luci-base grants, so a page that calls what it may not call fails here as on a router.
 */
import { acl, type UbusRights } from './app-files.ts';

/** Replies by method; a number is a ubus status, a function computes the reply. */
export type Replies = Readonly<
  Record<
    string,
    Readonly<Record<string, unknown>> | number | ((args: Args) => Readonly<Record<string, unknown>> | number)
  >
>;
export type UciSections = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
type Args = Readonly<Record<string, unknown>>;

export type FakeRouter = {
  /** Replies of the object `shareagent`; absent while the agent does not run. */
  readonly agent?: Replies;
  /** Replies of `luci.shareagent`; absent while rpcd has not loaded the plugin. */
  readonly plugin?: Replies;
  readonly uci: UciSections;
  readonly rights: 'write' | 'read' | 'none';
};

export type Call = { readonly object: string; readonly method: string; readonly args: Args };
type Message = { readonly id: unknown; readonly method: string; readonly params?: readonly unknown[] };

const BASE: UbusRights = {
  luci: ['getFeatures'],
  file: ['list'],
  session: ['access'],
  uci: ['get', 'changes', 'add', 'set', 'delete', 'order', 'apply', 'confirm'],
};
const DENIED = { code: -32002, message: 'Access denied' };
const NO_OBJECT = { code: -32000, message: 'Object not found' };

export class FakeRpcd {
  /** Calls of the app's own objects, in order; refused ones too. */
  readonly calls: Call[] = [];
  /** What UCI was asked to change. */
  readonly changes: Call[] = [];
  #router: FakeRouter;

  constructor(router: FakeRouter) {
    this.#router = router;
  }

  /** From now on the router is like this: the agent starts, stops, or changes its mind. */
  become(router: FakeRouter): void {
    this.#router = router;
  }

  /** Answers one JSON-RPC message or a batch of them. */
  answer(body: unknown): unknown {
    return Array.isArray(body) ? body.map((message) => this.#one(message)) : this.#one(body as Message);
  }

  #one({ id, method, params = [] }: Message): unknown {
    if (method === 'list') return { jsonrpc: '2.0', id, result: this.#list(params) };
    const [, object, name, args] = params as [string, string, string, Args];
    if (object === 'shareagent' || object === 'luci.shareagent') this.calls.push({ object, method: name, args });
    if (!this.#mayCall(object, name)) return { jsonrpc: '2.0', id, error: DENIED };
    const replies = this.#repliesOf(object, args);
    if (replies === undefined) return { jsonrpc: '2.0', id, error: NO_OBJECT };
    const found = replies[name];
    const reply = found === undefined ? 3 : typeof found === 'function' ? found(args) : found;
    return { jsonrpc: '2.0', id, result: typeof reply === 'number' ? [reply] : [0, reply] };
  }

  #list(params: readonly unknown[]): unknown {
    const { agent = {} } = this.#router;
    const methods = Object.fromEntries(Object.keys(agent).map((name) => [name, {}]));
    return params.includes('shareagent') && this.#router.agent !== undefined ? { shareagent: methods } : {};
  }

  #mayCall(object: string, method: string): boolean {
    const { read, write } = acl();
    const { rights } = this.#router;
    const granted = [BASE, ...(rights === 'none' ? [] : [read.ubus]), ...(rights === 'write' ? [write.ubus] : [])];
    return granted.some((group) => group[object]?.includes(method) === true);
  }

  #repliesOf(object: string, args: Args): Replies | undefined {
    if (object === 'shareagent') return this.#router.agent;
    if (object === 'luci.shareagent') return this.#router.plugin;
    if (object === 'uci') return this.#uci(args);
    if (object === 'session') return { access: { access: this.#router.rights === 'write' } };
    return { getFeatures: {}, list: { entries: [] } };
  }

  #uci(args: Args): Replies {
    const note = (method: string) => () => {
      this.changes.push({ object: 'uci', method, args });
      return method === 'add' ? { section: 'cfg0added' } : {};
    };
    return {
      get: args['config'] === 'shareagent' ? { values: this.#router.uci } : 4,
      changes: { changes: {} },
      ...Object.fromEntries(['add', 'set', 'delete', 'order', 'apply', 'confirm'].map((name) => [name, note(name)])),
    };
  }
}
