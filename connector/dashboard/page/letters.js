// Dead letters: what could not be carried, why, and what may be done about it.

import { $, element, keepList, show, write } from "./dom.js";
import { ask } from "./question.js";
import { act, read } from "./server.js";
import { count, moment } from "./words.js";

let letters = [];
let known = null;

function make(letter) {
  const button = (word, onclick, more = {}) =>
    element("button", { type: "button", class: "small", "aria-label": `${word} ${letter.id}`, onclick, ...more }, word);
  return element(
    "li",
    {},
    element("p", { class: "row" }, element("strong"), element("code"), element("time", { class: "soft" })),
    element("p", { class: "why" }),
    element("p", { class: "soft id" }),
    element("p", { class: "soft never" }),
    element(
      "p",
      { class: "row" },
      letter.never ? null : button("Replay", () => treat(letter, "replay")),
      button("Drop", () => drop(letter)),
    ),
  );
}

function change(node, letter) {
  write(node.querySelector("strong"), letter.source);
  write(node.querySelector("code"), letter.code);
  moment(node.querySelector("time"), letter.died_at);
  write(node.querySelector(".why"), letter.why);
  write(node.querySelector(".id"), letter.id);
  write(node.querySelector(".never"), letter.never ?? "");
  show(node.querySelector(".never"), letter.never !== null);
}

async function drop(letter) {
  const sure = await ask("Drop it for good?", `${letter.why}\n${letter.id}`, "Drop it");
  if (sure) await treat(letter, "drop");
}

async function treat(letter, what) {
  const place = letters.findIndex((one) => one.id === letter.id);
  await act(`dashboard/letters/${what}`, { id: letter.id });
  await load();
  if (letters.some((one) => one.id === letter.id)) return;
  // Its buttons are gone: go on with the one that took its place.
  const next = $("letters").children[place]?.querySelector("button");
  (next ?? $("letters-title")).focus();
}

async function load(atLeast = 1) {
  const found = [];
  let page = null;
  do {
    page = await read(`dashboard/letters?start=${found.length}`);
    if (page === null) return;
    found.push(...page.letters);
  } while (page.letters.length && found.length < Math.min(page.total, Math.max(atLeast, letters.length)));
  letters = found;
  keepList($("letters"), letters, make, change);
  show($("letters"), letters.length > 0);
  show($("letters-none"), !letters.length);
  show($("letters-more"), letters.length < page.total);
  write($("letters-count"), page.total ? count(page.total) : "");
}

// They are asked for when there may be other ones than before.
export function showLetters(state) {
  const now = `${state.dead_letters} ${state.store.status}`;
  if (now === known || state.store.status !== "ok") return;
  known = now;
  load();
}

export function startLetters() {
  $("letters-more").addEventListener("click", () => load(letters.length + 1));
}
