/**
 * Stub of LuCI's runtime for views: classes, the loader of `'require x as y'` pragmas, rpc over /ubus, poll, ui, uci and
 * the view's life. Small enough to read; what it lacks, the same tests meet in a real LuCI (LUCI_STATIC).
 */
const BASE = '/luci-static/resources';
let requestId = 1;

function extend(Parent, properties) {
  class Child extends Parent {}
  Object.assign(Child.prototype, properties);
  return Child;
}

async function post(method, params) {
  const response = await fetch('/ubus/', {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: requestId++, method, params }),
  });
  return response.json();
}

const rpc = {
  declare(options) {
    return async (...values) => {
      const args = Object.fromEntries((options.params ?? []).map((name, i) => [name, values[i]]));
      const where = `RPC call to ${options.object}/${options.method} failed with`;
      const { error, result } = await post('call', ['0'.repeat(32), options.object, options.method, args]);
      if (error) throw new Error(`${where} error ${error.code}: ${error.message}`);
      if (options.reject && result[0] !== 0) throw new Error(`${where} ubus code ${result[0]}: -`);
      return result.length > 1 ? result[1] : result[0];
    };
  },

  async list(...objects) {
    return (await post('list', objects)).result;
  },
};

const callUci = (method, params) => rpc.declare({ object: 'uci', method, params, reject: true });
const uci = {
  values: {},

  async load() {
    uci.values = (await callUci('get', ['config'])('shareagent')).values;
  },

  sections(type) {
    return Object.values(uci.values)
      .filter((section) => section['.type'] === type)
      .sort((a, b) => a['.index'] - b['.index']);
  },

  set(section, option, value) {
    return callUci('set', ['config', 'section', 'values'])('shareagent', section, { [option]: value });
  },
};

const poll = {
  add(task, seconds) {
    setInterval(task, seconds * 1_000);
  },
};

const ui = {
  createHandlerFn(context, handler, ...bound) {
    return (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      button.blur();
      return Promise.resolve(handler.call(context, ...bound, event)).finally(() => {
        button.disabled = false;
      });
    };
  },

  showModal(title, children) {
    ui.hideModal();
    const modal = E('div', { class: 'modal', role: 'dialog' }, [E('h4', {}, title)]);
    stubDom.append(modal, children);
    document.body.append(E('div', { id: 'modal_overlay' }, [modal]));
  },

  hideModal() {
    document.querySelector('#modal_overlay')?.remove();
  },

  addNotification(title, children, ...classes) {
    const message = E('div', { class: ['alert-message', ...classes].join(' ') }, []);
    if (title !== null) message.append(E('h4', {}, title));
    stubDom.append(message, children);
    document.querySelector('#maincontent').prepend(message);
  },

  async instantiateView(path) {
    try {
      await L.require(`view.${path.replaceAll('/', '.')}`);
    } catch (error) {
      ui.addNotification('Error', E('pre', {}, [error.stack]), 'danger');
      throw error;
    }
  },
};

class View {
  constructor() {
    const place = document.querySelector('#view');
    this.shown = Promise.resolve(this.load?.())
      .then((data) => this.render(data))
      .then((nodes) => {
        stubDom.content(place, nodes);
        if (this.handleSave !== null) place.append(this.footer());
      });
  }

  footer() {
    const save = ui.createHandlerFn(this, () => L.modules.form.saveAll());
    return E('div', { class: 'cbi-page-actions' }, [
      E('button', { class: 'cbi-button cbi-button-save', click: save }, ['Save']),
    ]);
  }
}

window.LuCI = class LuCI {
  constructor(environment) {
    this.environment = environment;
    this.dom = stubDom;
    this.modules = {
      baseclass: { extend: (properties) => extend(Object, properties) },
      view: { extend: (properties) => extend(View, properties) },
      form: stubForm,
      rpc,
      uci,
      poll,
      ui,
    };
  }

  /** Loads a module, after those that its leading pragmas name. */
  require(name) {
    this.modules[name] ??= this.load(name);
    return Promise.resolve(this.modules[name]);
  }

  async load(name) {
    const url = `${BASE}/${name.replaceAll('.', '/')}.js`;
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP error ${response.status} while loading ${url}`);
    const source = await response.text();
    const pragmas = [...source.matchAll(/^'require ([\w.-]+)(?: as (\w+))?';$/gm)];
    const modules = await Promise.all(pragmas.map(([, dependency]) => this.require(dependency)));
    const names = pragmas.map(([, dependency, alias]) => alias ?? dependency.replaceAll(/\W/g, '_'));
    const factory = new Function('L', ...names, `${source}\n//# sourceURL=${url}`);
    const instance = new (factory(this, ...modules))();
    if (instance.shown !== undefined) await instance.shown;
    return instance;
  }

  toArray(value) {
    if (value === null || value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  }

  isObject(value) {
    return value !== null && typeof value === 'object';
  }

  resolveDefault(value, fallback) {
    return Promise.resolve(value).catch(() => fallback);
  }

  url(...parts) {
    return ['/cgi-bin/luci', ...parts].join('/');
  }

  hasViewPermission() {
    return !this.environment.nodespec.readonly;
  }
};

document.write(`<script src="${BASE}/stub-form.js"></script>`);
