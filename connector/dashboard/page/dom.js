// Building and changing what is on the page. Text always becomes a text node, never markup.
// What is there already is changed in place, so that the focus stays where it is.

export const $ = (id) => document.getElementById(id);

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, isShown) {
  if (node.hidden === isShown) node.hidden = !isShown;
}

// Brings a list to these items in this order: "make" builds what is new, "change" updates all.
// Every item has an "id"; what was changed last is remembered, and not touched again.
export function keepList(list, items, make, change) {
  const found = new Map([...list.children].map((node) => [node.dataset.id, node]));
  items.forEach((item, place) => {
    const node = found.get(item.id) ?? make(item);
    found.delete(item.id);
    const text = JSON.stringify(item);
    if (node.dataset.shown !== text) change(node, item);
    [node.dataset.id, node.dataset.shown] = [item.id, text];
    if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
  });
  for (const node of found.values()) node.remove();
}
