// Building and changing what is on the page. Text always becomes a text node, never markup.

const shown = new Set();
const drawn = new Map();

export const $ = (id) => document.getElementById(id);

export const clock = (time) => new Date(time).toLocaleTimeString();

export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

// Draws a part of the page only when what it shows has changed: a button that is replaced while it
// is being pressed would not hear the click. The focus stays where it was.
export function draw(part, data, how) {
  const text = JSON.stringify(data);
  if (drawn.get(part) === text) return;
  drawn.set(part, text);
  const focused = document.activeElement?.id;
  how();
  if (focused && document.activeElement?.id !== focused) $(focused)?.focus({ preventScroll: true });
}

export function fill(list, items) {
  list.replaceChildren(...items);
  for (const entry of list.querySelectorAll(".entry")) {
    if (!shown.has(entry.id)) entry.classList.add("new");
    shown.add(entry.id);
  }
}

// For lists that grow at their end: whoever was there sees the end again.
export function fillToEnd(list, items) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  fill(list, items);
  if (atEnd) list.scrollTop = list.scrollHeight;
}
