// Shows what the connector does, as it happens ("dashboard/events"), and passes on what a person
// wants of it. The picture comes in two parts, each whole whenever it has changed.

import { $, element, show, write } from "./dom.js";
import { showFlow } from "./flow.js";
import { showLetters, startLetters } from "./letters.js";
import { showMessages } from "./messages.js";
import { act, startSession, session } from "./server.js";
import { length, OVERALL, startAges, STATES } from "./words.js";

const LOST_AFTER_MS = 3000;
const AS_MEANT = new Set(["running", "standby", "disabled"]);
const states = new Map();
let lost = null;

// A pause is a person's will, and no trouble.
function sumUp(state) {
  const amiss = state.actors.filter((one) => !AS_MEANT.has(one.state));
  const onlyPaused = amiss.length && amiss.every((one) => one.state === "paused");
  if (!onlyPaused || state.store.status !== "ok") return OVERALL[state.status] ?? state.status;
  return `Paused: ${amiss.map((one) => one.name).join(", ")}`;
}

function showHead(state) {
  write($("overall"), sumUp(state));
  $("overall").className = `state ${state.status}`;
  const up = length(Math.max(1, Date.now() / 1000 - state.started_at));
  const role = state.role === "leader" ? "leads" : "stands by: another process leads";
  write($("about"), `version ${state.version}, up for ${up}, ${role}`);
  show($("warnings"), state.warnings.length > 0);
  $("warnings").replaceChildren(...state.warnings.map((one) => element("li", {}, one)));
  document.title = state.status === "ok" ? "Bluesky – Genesys Cloud" : `● ${sumUp(state)}`;
}

// Only what changes between well and not well is worth being read out.
function announce(state) {
  const news = [];
  for (const { name, state: now } of state.actors) {
    if (states.has(name) && states.get(name) !== now) news.push(`${name}: ${STATES[now]}`);
    states.set(name, now);
  }
  if (news.length) write($("announcer"), news.join(". "));
}

function showState(state) {
  showHead(state);
  showFlow(state);
  showLetters(state);
  announce(state);
}

function found() {
  clearTimeout(lost);
  lost = null;
  show($("connection"), false);
}

function missed() {
  const since = new Date().toLocaleTimeString();
  lost ??= setTimeout(() => {
    write($("connection"), `The connector does not answer. What you see is of ${since}.`);
    show($("connection"), true);
  }, LOST_AFTER_MS);
}

function listen() {
  const events = new EventSource("dashboard/events");
  events.addEventListener("open", found);
  events.addEventListener("state", (event) => showState(JSON.parse(event.data)));
  events.addEventListener("messages", (event) => showMessages(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    missed();
    // The browser comes again by itself, unless it was refused.
    if (events.readyState === EventSource.CLOSED) setTimeout(start, LOST_AFTER_MS);
  });
}

async function start() {
  if (!(await startSession())) {
    missed();
    setTimeout(start, LOST_AFTER_MS);
    return;
  }
  show($("log-out"), session.may_log_out);
  listen();
}

$("log-out").addEventListener("click", async () => {
  if (await act("logout")) location.assign("login");
});
startAges();
startLetters();
start();
