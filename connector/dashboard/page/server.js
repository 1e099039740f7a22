// What is asked of the connector, and told to it.

import { $, show, write } from "./dom.js";

export let session = { meanings: {} };
const under_way = new Set();
let fading = null;

// Returns whether we are logged in; if not, the login page follows.
export async function startSession() {
  const answer = await fetch("dashboard/session").catch(() => null);
  if (answer?.status === 401) location.assign("login");
  if (!answer?.ok) return false;
  session = await answer.json();
  return true;
}

export async function read(path) {
  const answer = await fetch(path).catch(() => null);
  if (answer?.ok) return answer.json();
  complain(await explain(answer));
  return null;
}

// Returns whether it was done. What came of it is said either way.
export async function act(path, fields = {}) {
  if (under_way.has(path)) return false;
  under_way.add(path);
  show($("problem"), false);
  const headers = { "X-Lever-Token": session.lever_token };
  const answer = await fetch(path, { method: "POST", headers, body: new URLSearchParams(fields) })
    .catch(() => null);
  under_way.delete(path);
  if (!answer?.ok) {
    complain(await explain(answer));
    return false;
  }
  say((await answer.json()).said);
  return true;
}

async function explain(answer) {
  if (answer === null) return "The connector does not answer.";
  const { message } = await answer.json().catch(() => ({}));
  return message ?? answer.statusText;
}

export function say(text) {
  clearTimeout(fading);
  write($("said"), text);
  show($("said"), true);
  fading = setTimeout(() => show($("said"), false), 8000);
}

function complain(text) {
  show($("said"), false);
  write($("problem"), text);
  show($("problem"), true);
}
