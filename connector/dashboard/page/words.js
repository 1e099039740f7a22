// How things are said.

export const STATES = {
  running: "running",
  starting: "starting",
  backing_off: "waits, then tries again",
  stuck: "stuck",
  failed: "failed",
  paused: "paused",
  standby: "standing by",
  stopped: "stopped",
  disabled: "off",
};

export const OVERALL = {
  ok: "All is well",
  degraded: "Something is not running",
  down: "Down",
};

export const KINDS = {
  inbound_post: "Post",
  inbound_direct_message: "Direct message",
  reactions: "Reactions",
  agent_message: "Agent's answer",
  receipt: "Receipt",
  resolve_contact: "Contact",
};

export const count = (number) => number.toLocaleString("en");

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

export function length(seconds) {
  if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  return seconds < 10 ? `${seconds.toFixed(1)} s` : round(seconds);
}

function round(seconds) {
  const [size, unit] = UNITS.find(([least]) => seconds >= least);
  return `${Math.floor(seconds / size)} ${unit}`;
}

function age(at) {
  const seconds = Math.floor(Date.now() / 1000 - at);
  return seconds < 1 ? "now" : `${round(seconds)} ago`;
}

// A moment that tells its age, which is renewed as time goes by.
export function moment(node, at) {
  node.hidden = at === null;
  if (at === null) return;
  node.dataset.at = at;
  node.dateTime = new Date(at * 1000).toISOString();
  node.title = new Date(at * 1000).toLocaleString();
  renew(node);
}

function renew(node) {
  const text = age(Number(node.dataset.at));
  if (node.textContent !== text) node.textContent = text;
}

export function startAges() {
  setInterval(() => document.querySelectorAll("time[data-at]").forEach(renew), 1000);
}
