/** Runs the app's scripts outside a browser, with stand-ins that only write down what a page declares and asks for. */
import { scripts } from './app-files.ts';

export type Declaration = {
  readonly script: string;
  readonly object: string;
  readonly method: string;
  readonly params: readonly string[];
};
export type Validator = (sectionId: string, value: string) => true | string;
export type FormOption = {
  readonly view: string;
  readonly section: string;
  readonly option: string;
  readonly widget: string;
  placeholder?: string;
  validate?: Validator;
};
type Loaded = { readonly declarations: readonly Declaration[]; readonly options: readonly FormOption[] };
type Properties = Readonly<Record<string, unknown>>;

const PRAGMA = /^'require ([\w.-]+)(?: as (\w+))?';$/gm;
const VIEW_OF = /^view\/shareagent\/(.*)\.js$/;

/** Loads every script, renders every form, and returns what was declared. */
export async function recordApp(): Promise<Loaded> {
  const declarations: Declaration[] = [];
  const options: FormOption[] = [];
  const sources = scripts();
  const loaded = new Map<string, unknown>();
  let view = '';
  const builtIn: Readonly<Record<string, unknown>> = {
    ...quietBuiltIns(),
    form: recordingForm(
      (option) => options.push(option),
      () => view,
    ),
  };

  const load = (path: string): unknown => {
    const known = loaded.get(path);
    if (known !== undefined) return known;
    const source = sources.get(path);
    if (source === undefined) throw new Error(`no script ${path}`);
    const pragmas = [...source.matchAll(PRAGMA)];
    const rpc = {
      declare: ({ object, method, params = [] }: Partial<Declaration>) => {
        declarations.push({ script: path, object: String(object), method: String(method), params });
        return () => Promise.reject(new Error('no router here'));
      },
      list: () => Promise.resolve({}),
    };
    const modules = pragmas.map(([, name = '']) => {
      if (name === 'rpc') return rpc;
      return builtIn[name] ?? load(`${name.replaceAll('.', '/')}.js`);
    });
    const names = pragmas.map(([, name = '', alias]) => alias ?? name);
    const factory = new Function('_', 'E', 'L', ...names, source);
    const made = factory(
      (text: string) => new Translated(text),
      () => ({}),
      L_STUB,
      ...modules,
    );
    loaded.set(path, made);
    return made;
  };

  for (const path of sources.keys()) {
    const made = load(path) as { readonly load?: () => Promise<unknown>; readonly render?: (data: unknown) => unknown };
    const name = VIEW_OF.exec(path)?.[1];
    if (name === undefined) continue;
    view = name;
    if ((sources.get(path) ?? '').includes("'require form'")) await made.render?.(await made.load?.());
  }
  return { declarations, options };
}

/** What _() returns: a text with LuCI's format(), which here leaves the text as it is. */
class Translated extends String {
  format(): string {
    return this.toString();
  }
}

const L_STUB = {
  isObject: (value: unknown) => typeof value === 'object' && value !== null,
  toArray: (value: unknown) => [value ?? []].flat(),
  resolveDefault: <T>(value: Promise<T>, fallback: T) => value.catch(() => fallback),
  url: (...parts: readonly string[]) => parts.join('/'),
  hasViewPermission: () => true,
};

function quietBuiltIns(): Properties {
  const extend = (properties: Properties): Properties => properties;
  return {
    baseclass: { extend },
    view: { extend },
    ui: { createHandlerFn: () => undefined },
    poll: { add: () => undefined },
  };
}

function recordingForm(note: (option: FormOption) => number, viewName: () => string): Properties {
  class Section {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    option(widget: string, option: string): FormOption {
      const made = { view: viewName(), section: this.name, option, widget, value: () => undefined };
      note(made);
      return made;
    }
    tab(): void {
      // Tabs only group.
    }
    taboption(_tab: string, widget: string, option: string): FormOption {
      return this.option(widget, option);
    }
  }
  return {
    Map: class {
      section(_kind: string, name: string): Section {
        return new Section(name);
      }
      render(): Promise<unknown> {
        return Promise.resolve({});
      }
    },
    ...Object.fromEntries(
      ['NamedSection', 'TableSection', 'Value', 'Flag', 'ListValue', 'DynamicList'].map((name) => [name, name]),
    ),
  };
}
