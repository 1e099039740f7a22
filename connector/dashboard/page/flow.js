// The flow as a picture: both platforms, the actors between them, and the journal in the middle.
// On a narrow page it is a list, in the order in which a message and its answer go round.

import { $, element, show, write } from "./dom.js";
import { ask } from "./question.js";
import { act, session } from "./server.js";
import { count, length, moment, STATES } from "./words.js";

const ROLES = {
  NotificationPoller: "takes in mentions, replies, quotes",
  SearchPoller: "takes in what the search finds",
  DMPoller: "takes in direct messages",
  DedupStore: "keeps all that is to be done, and hands it over",
  GenesysSender: "brings messages and receipts to Genesys Cloud",
  ContactResolver: "keeps external contacts",
  WebhookReceiver: "takes in what agents write",
  BlueskySender: "posts agents' answers",
};
const ORDER = Object.keys(ROLES);
const FIGURES = [
  ["last minute", (actor) => count(actor.last_minute)],
  ["waiting", (actor) => (actor.waiting === null ? null : count(actor.waiting))],
  ["at work", (actor) => `${actor.busy}/${actor.concurrency}`],
  ["failed", (actor) => count(actor.failed)],
  ["restarts", (actor) => count(actor.restarts)],
  ["lag", (actor) => (actor.lag_s === null ? null : length(actor.lag_s))],
];
const TROUBLE = new Set(["failed", "stuck", "backing_off"]);
const actors = new Map();

function platform(name, side) {
  return element("li", { class: `platform ${side}` }, element("strong", {}, name));
}

function figure(word) {
  return element("div", {}, element("dt", {}, word), element("dd"));
}

function addActor(name) {
  const card = element(
    "li",
    { id: `actor-${name}`, class: "actor" },
    element(
      "div",
      { class: "row" },
      element("h3", {}, name),
      element("span", { class: "state" }),
    ),
    element("p", { class: "soft" }, ROLES[name] ?? ""),
    ...(name === "DedupStore" ? [journal()] : []),
    element("dl", { class: "figures" }, ...FIGURES.map(([word]) => figure(word))),
    element(
      "details",
      { class: "error", hidden: "" },
      element("summary", {}, element("span"), " ", element("time")),
      element("p", { class: "message" }),
      element("p", { class: "action" }),
    ),
    element("button", { type: "button", class: "small", onclick: () => pull(name) }),
  );
  actors.set(name, card);
  return card;
}

function journal() {
  return element(
    "dl",
    { class: "journal" },
    element("div", {}, element("dt", {}, "in the journal"), element("dd", { id: "journal-depth" })),
    element("div", {}, element("dt", {}, "the oldest came"), element("dd", {},
      element("time", { id: "journal-age" }), element("span", { id: "journal-empty" }, "–"))),
    element("div", {}, element("dt", {}, "dead letters"), element("dd", { id: "journal-dead" })),
    element("div", {}, element("dt", {}, "store"), element("dd", { id: "store" })),
  );
}

async function pull(name) {
  const card = actors.get(name);
  if (card.dataset.paused === "true") {
    await act(`dashboard/actors/${name}/resume`);
    return;
  }
  const { means, asks } = session.meanings[name] ?? { means: "", asks: true };
  if (asks && !(await ask(`Pause ${name}?`, means, `Pause ${name}`))) return;
  await act(`dashboard/actors/${name}/pause`);
}

function showActor(card, actor) {
  const state = card.querySelector(".state");
  write(state, actor.paused && actor.busy ? "paused, finishing" : STATES[actor.state] ?? actor.state);
  state.className = `state ${actor.state}`;
  card.classList.toggle("flowing", actor.last_minute > 0);
  card.classList.toggle("off", actor.state === "disabled");
  card.dataset.paused = actor.paused;
  card.querySelectorAll(".figures > div").forEach((place, index) => {
    const text = FIGURES[index][1](actor);
    show(place, text !== null);
    write(place.querySelector("dd"), text ?? "");
  });
  showError(card.querySelector(".error"), actor);
  const button = card.querySelector("button");
  const word = actor.paused ? "Resume" : "Pause";
  write(button, word);
  button.setAttribute("aria-label", `${word} ${actor.name}`);
  show(button, actor.state !== "disabled" && actor.state !== "stopped");
  if (actor.disabled) write(card.querySelector("p.soft"), actor.disabled);
}

function showError(place, actor) {
  const error = actor.last_error;
  show(place, error !== null);
  if (error === null) return;
  const inTrouble = TROUBLE.has(actor.state);
  if (place.classList.toggle("now", inTrouble) !== place.open) place.open = inTrouble;
  write(place.querySelector("summary span"), error.type);
  moment(place.querySelector("time"), error.at);
  write(place.querySelector(".message"), error.message);
  write(place.querySelector(".action"), error.action ?? "");
}

function build(names) {
  const known = ORDER.filter((name) => names.includes(name));
  const others = names.filter((name) => !ORDER.includes(name));
  const cards = new Map([...known, ...others].map((name) => [name, addActor(name)]));
  const take = (...chosen) => chosen.filter((name) => cards.has(name)).map((name) => cards.get(name));
  $("flow").append(
    platform("Bluesky", "bluesky"),
    ...take("NotificationPoller", "SearchPoller", "DMPoller", ...others, "DedupStore"),
    ...take("GenesysSender", "ContactResolver"),
    platform("Genesys Cloud", "genesys"),
    ...take("WebhookReceiver", "BlueskySender"),
  );
}

export function showFlow(state) {
  if (!actors.size) build(state.actors.map((actor) => actor.name));
  for (const actor of state.actors) showActor(actors.get(actor.name), actor);
  write($("journal-depth"), count(state.journal.depth));
  moment($("journal-age"), state.journal.oldest_at);
  show($("journal-empty"), state.journal.oldest_at === null);
  write($("journal-dead"), count(state.dead_letters));
  const { status, kind, reason } = state.store;
  write($("store"), status === "ok" ? kind : `${kind}: ${reason}`);
  $("store").classList.toggle("bad", status !== "ok");
}
