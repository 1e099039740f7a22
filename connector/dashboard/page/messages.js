// The way of the latest messages, the newest first.

import { $, element, keepList, show, write } from "./dom.js";
import { KINDS, length, moment } from "./words.js";

const OUTCOMES = {
  waiting: "waits in the journal",
  "in hand": "under way",
  retrying: "is tried again",
  done: "arrived",
  refused: "refused",
};

function make() {
  return element(
    "li",
    {},
    element(
      "details",
      {},
      element(
        "summary",
        {},
        element("strong"),
        element("span", { class: "outcome" }),
        element("span", { class: "took soft" }),
        element("time", { class: "soft" }),
        element("span", { class: "text" }),
      ),
      element("dl", { class: "about" }),
      element("ol", { class: "stages" }),
    ),
  );
}

// From the first recording to the last end, once all has ended.
function total(message) {
  const ends = message.stages.map((stage) => stage.ended_at);
  if (ends.includes(null)) return "";
  return `in ${length(Math.max(...ends) - began(message))}`;
}

const began = (message) => Math.min(...message.stages.map((stage) => stage.recorded_at));

function change(node, message) {
  const at = (selector) => node.querySelector(selector);
  write(at("strong"), KINDS[message.kind] ?? message.kind);
  write(at(".outcome"), OUTCOMES[message.outcome]);
  at(".outcome").className = `outcome ${message.outcome.replace(" ", "-")}`;
  write(at(".took"), total(message));
  moment(at("time"), began(message));
  write(at(".text"), message.text ?? "");
  show(at(".text"), Boolean(message.text));
  at(".about").replaceChildren(...about(message));
  at(".stages").replaceChildren(...message.stages.map(stage));
}

function about(message) {
  const facts = [["id", message.id], ["conversation", message.conversation]];
  if (message.written_at !== null) {
    const late = length(Math.max(0, began(message) - message.written_at));
    facts.push(["came in", `${late} after it was written`]);
  }
  return facts.flatMap(([word, text]) => [element("dt", {}, word), element("dd", {}, text)]);
}

function stage(one) {
  const parts = [];
  if (one.delivered_at !== null) parts.push(`waited ${length(one.delivered_at - one.recorded_at)}`);
  if (one.ended_at !== null && one.delivered_at !== null) {
    parts.push(`took ${length(one.ended_at - one.delivered_at)}`);
  }
  if (one.retries) parts.push(one.retries === 1 ? "1 retry" : `${one.retries} retries`);
  parts.push(OUTCOMES[one.outcome]);
  return element(
    "li",
    {},
    element("strong", {}, one.actor),
    ` ${parts.join(" · ")}`,
    one.why === null ? null : element("p", { class: "soft" }, one.why),
  );
}

export function showMessages(messages) {
  show($("messages-none"), !messages.length);
  show($("messages"), messages.length > 0);
  keepList($("messages"), messages, make, change);
}
