/** Stub of LuCI's form.js: maps, sections and widgets as far as these pages use them; save writes through uci. */
const maps = [];

class Element {
  constructor(title, description) {
    this.title = title;
    this.description = description;
    this.children = [];
  }

  add(child) {
    this.children.push(child);
    return child;
  }

  heading(level) {
    return [
      ...(this.title ? [E(level, {}, this.title)] : []),
      ...(this.description ? [E('div', { class: 'cbi-section-descr' }, this.description)] : []),
    ];
  }
}

class FormMap extends Element {
  constructor(config, title, description) {
    super(title, description);
    this.config = config;
    maps.push(this);
  }

  section(Kind, ...args) {
    return this.add(new Kind(...args));
  }

  async render() {
    await L.modules.uci.load();
    return E('div', { class: 'cbi-map' }, [...this.heading('h2'), ...this.children.map((section) => section.render())]);
  }
}

class NamedSection extends Element {
  constructor(name, type, title, description) {
    super(title, description);
    this.name = name;
    this.type = type;
  }

  option(Kind, name, title, description) {
    return this.add(new Kind(name, title, description));
  }

  tab(name, title, description) {
    this.tabs = { ...this.tabs, [name]: { title, description } };
  }

  taboption(_tab, ...args) {
    return this.option(...args);
  }

  render() {
    return E('div', { class: 'cbi-section' }, [
      ...this.heading('h3'),
      ...this.children.map((option) => option.field(this.name)),
    ]);
  }
}

class TableSection extends NamedSection {
  constructor(type, title, description) {
    super(undefined, type, title, description);
  }

  render() {
    const rows = L.modules.uci.sections(this.type).map((section) =>
      E(
        'tr',
        { class: 'tr' },
        this.children.map((option) => E('td', { class: 'td' }, [option.widget(section['.name'])])),
      ),
    );
    const titles = this.children.map((option) => E('th', { class: 'th' }, option.title));
    const empty = E('em', {}, ['This section contains no values yet']);
    return E('div', { class: 'cbi-section' }, [
      ...this.heading('h3'),
      ...(rows.length === 0 ? [empty] : [E('table', { class: 'table' }, [E('tr', { class: 'tr' }, titles), ...rows])]),
      E('button', { class: 'btn cbi-button cbi-button-add' }, [this.addbtntitle ?? 'Add']),
    ]);
  }
}

class Value extends Element {
  constructor(option, title, description) {
    super(title, description);
    this.option = option;
    this.inputs = [];
    this.choices = [];
  }

  value(key, text) {
    this.choices.push([key, text]);
  }

  stored(section) {
    return L.modules.uci.values[section]?.[this.option];
  }

  widget(section) {
    const value = [this.stored(section) ?? ''].flat().join(' ');
    const input = E('input', { type: 'text', class: 'cbi-input-text', value, placeholder: this.placeholder ?? null });
    input.addEventListener('blur', () => this.check(section, input));
    this.inputs.push({ section, input });
    return input;
  }

  field(section) {
    return E('div', { class: 'cbi-value', 'data-name': this.option }, [
      E('label', { class: 'cbi-value-title' }, this.title),
      E('div', { class: 'cbi-value-field' }, [
        this.widget(section),
        E('div', { class: 'cbi-value-description' }, this.description),
      ]),
    ]);
  }

  check(section, input) {
    const verdict = this.validate?.(section, input.value) ?? true;
    input.classList.toggle('cbi-input-invalid', verdict !== true);
    input.setAttribute('data-tooltip', verdict === true ? '' : verdict);
    return verdict === true;
  }

  async save() {
    for (const { section, input } of this.inputs) {
      if (!this.check(section, input)) throw new Error(`${this.option}: invalid`);
      if (input.value !== String(this.stored(section) ?? '')) {
        await L.modules.uci.set(section, this.option, input.value);
      }
    }
  }
}

class Flag extends Value {
  widget(section) {
    const input = E('input', { type: 'checkbox', value: '1', checked: this.stored(section) === '1' ? '' : null });
    return input;
  }
}

class ListValue extends Value {
  widget(section) {
    const chosen = this.stored(section) ?? this.default;
    const options = this.choices.map(([key, text]) =>
      E('option', { value: key, selected: key === chosen ? '' : null }, text),
    );
    return E('select', {}, options);
  }
}

window.stubForm = {
  Map: FormMap,
  NamedSection,
  TableSection,
  Value,
  Flag,
  ListValue,
  DynamicList: Value,

  async saveAll() {
    for (const option of maps.flatMap((map) => map.children).flatMap((section) => section.children))
      await option.save();
  },
};
