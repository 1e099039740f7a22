// The connector's own state: one card for each actor, with a button that makes it crash.

import { $, element } from "./dom.js";
import { send } from "./server.js";

export function showActors(picture) {
  const health = picture.health;
  $("overall").textContent = health ? health.status : "the connector is starting";
  $("overall").className = `state ${health?.status ?? "starting"}`;
  if (!health) return;
  $("journal").textContent =
    `journal: ${health.journal.depth} waiting · dead letters: ${health.dead_letters} · store: ${health.store.kind}`;
  for (const [name, actor] of Object.entries(health.actors)) {
    const card = $(`actor-${name}`) ?? addActor(name);
    const state = card.querySelector(".state");
    state.textContent = actor.state;
    state.className = `state ${actor.state}`;
    const counts = [actor.handled, actor.mailbox.depth, actor.failed, actor.restarts];
    card.querySelectorAll("dd").forEach((place, index) => { place.textContent = String(counts[index]); });
    const error = actor.state !== "running" && actor.last_error;
    card.querySelector(".error").textContent = error ? error.action ?? error.message : "";
  }
}

function addActor(name) {
  const crash = () => send(`api/actors/${name}/crash`, {});
  const card = element(
    "li",
    { id: `actor-${name}` },
    element(
      "div",
      { class: "row" },
      element("strong", {}, name),
      element("button", { type: "button", class: "small", "aria-label": `Crash ${name}`, onclick: crash }, "crash"),
    ),
    element("span", { class: "state" }),
    element("dl", {}, ...["handled", "waiting", "failed", "restarts"]
      .flatMap((word) => [element("dt", {}, word), element("dd", {})])),
    element("p", { class: "error" }),
  );
  $("actors").append(card);
  return card;
}

