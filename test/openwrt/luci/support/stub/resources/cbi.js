/**
 * Stub of what LuCI's cbi.js and luci.js put into the global scope for views: `_`, `E`, `String.prototype.format`.
 * Written from LuCI's documented behaviour, sharp edges included: a child that is a bare string becomes MARKUP, a
 * string within an array becomes text, and an attribute is left out only when it is null.
 */
window._ = (text) => text;

String.prototype.format = function format(...values) {
  let next = 0;
  return this.replace(/%([%sdh])/g, (_whole, kind) => {
    if (kind === '%') return '%';
    const value = values[next++];
    if (kind === 'd') return String(Math.floor(Number(value) || 0));
    return kind === 'h' ? escapeMarkup(String(value)) : String(value);
  });
};

window.stubDom = {
  append(node, children) {
    if (Array.isArray(children)) {
      for (const child of children) if (child !== null && child !== undefined) node.append(nodeOf(child));
    } else if (children instanceof Node) node.appendChild(children);
    else if (children !== null && children !== undefined) node.innerHTML = String(children);
  },

  content(node, children) {
    while (node.firstChild !== null) node.firstChild.remove();
    window.stubDom.append(node, children);
  },
};

window.E = (name, ...rest) => {
  if (Array.isArray(name)) return fragmentOf(name);
  const hasAttributes = rest[0] instanceof Object && !Array.isArray(rest[0]) && !(rest[0] instanceof Node);
  const [attributes, children] = hasAttributes ? rest : [{}, rest[0]];
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(key, value);
    else if (value !== null && value !== undefined) node.setAttribute(key, String(value));
  }
  window.stubDom.append(node, children);
  return node;
};

function fragmentOf(children) {
  const fragment = document.createDocumentFragment();
  window.stubDom.append(fragment, children);
  return fragment;
}

function nodeOf(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

function escapeMarkup(text) {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
