/** As much of a document as views are drawn into: elements with their children, properties and listeners. */

class Node {
  childNodes = [];
  parentNode = null;
  get firstChild() { return this.childNodes[0] ?? null; }
  get nextSibling() { return this.parentNode?.childNodes[this.parentNode.childNodes.indexOf(this) + 1] ?? null; }
  appendChild(node) { return this.insertBefore(node, null); }
  insertBefore(node, before) {
    node.remove();
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node);
    node.parentNode = this;
    return node;
  }
  removeChild(node) { node.remove(); return node; }
  remove() {
    const list = this.parentNode?.childNodes;
    if (list) list.splice(list.indexOf(this), 1);
    this.parentNode = null;
  }
  contains(node) { return node === this || this.childNodes.some((child) => child.contains(node)); }
}

class Text extends Node {
  nodeType = 3;
  constructor(data) { super(); this.data = data; }
  get textContent() { return this.data; }
}

class Element extends Node {
  nodeType = 1;
  style = {};
  attributes = {};
  listeners = {};
  value = '';
  disabled = false;
  constructor(name) {
    super();
    this.localName = name;
    // What is a property of an element is no attribute, and names its events in small letters.
    for (const kind of ['blur', 'change', 'click', 'input', 'keydown', 'paste', 'submit']) this[`on${kind}`] = null;
  }
  get ownerDocument() { return globalThis.document; }
  get textContent() { return this.childNodes.map((child) => child.textContent).join(''); }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  removeAttribute(name) { delete this.attributes[name]; }
  addEventListener(kind, listener) { this.listeners[kind] = listener; }
  removeEventListener(kind) { delete this.listeners[kind]; }
  focus() { globalThis.document.activeElement = this; }
  setSelectionRange() {}
  querySelector() { return null; }
  querySelectorAll() { return []; }
  closest() { return null; }
  matches() { return false; }
  scrollIntoView() {}
  getBoundingClientRect() { return { top: 0, left: 0, width: 0, height: 0 }; }
  /** Those below it of a kind of element. @returns {any[]} */
  all(name) { return this.childNodes.flatMap((child) => [...(child.localName === name ? [child] : []), ...(child.all?.(name) ?? [])]); }
  /** Somebody does it. */
  does(kind, more = {}) { return this.listeners[kind]?.call(this, { type: kind, target: this, currentTarget: this, preventDefault() {}, ...more }); }
}

export function startDocument() {
  const create = (name) => new Element(name);
  const document = { nodeType: 9, activeElement: null, documentElement: new Element('html'), createElement: create, createElementNS: (_space, name) => create(name), createTextNode: (data) => new Text(data), querySelector: () => null, addEventListener() {}, removeEventListener() {} };
  Object.assign(globalThis, { document, CSS: { escape: String }, matchMedia: () => ({ matches: true, addEventListener() {} }), requestAnimationFrame: (work) => setTimeout(work, 0), cancelAnimationFrame: clearTimeout });
  return document;
}

/** Effects come after the frame. */
export async function drawn() {
  for (let turn = 0; turn < 6; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** @returns {any} */
export function place() {
  return new Element('main');
}
