// The agent's side: conversations, what came in them, and the answers.

import { $, clock, draw, element, fillToEnd } from "./dom.js";
import { choosesFiles } from "./files.js";
import { link, showCard, showImages } from "./media.js";
import { send } from "./server.js";

const PLAYLIST = "application/vnd.apple.mpegurl";
const OUTCOMES = {
  waiting: ["wait", () => "waiting for a receipt"],
  Delivered: ["good", () => "✓ delivered"],
  Failed: ["bad", (message) => `✗ failed: ${message.reason ?? ""}`],
  undeliverable: ["bad", () => "✗ the webhook could not be delivered"],
};
const files = choosesFiles($("agent-files"), $("agent-chosen"), (count) => {
  $("agent-text").required = count === 0;
});
let chosen = null;

export function showDesk(picture) {
  const all = picture.conversations;
  if (!all.some((one) => one.id === chosen)) chosen = all[0]?.id ?? null;
  const tabs = all.map((one) => [one.id, one.public, one.customer, one.begins]);
  draw("conversations", [chosen, tabs], () =>
    $("conversations").replaceChildren(...all.map((one) => showTab(one, () => { chosen = one.id; showDesk(picture); }))));
  const conversation = all.find((one) => one.id === chosen);
  draw("messages", conversation ?? null, () => fillToEnd($("messages"), (conversation?.messages ?? []).map(showMessage)));
  for (const id of ["agent-text", "agent-files", "agent-private"]) $(id).disabled = !conversation;
  for (const id of ["agent-public", "agent-like", "agent-repost"]) $(id).disabled = !conversation?.public;
}

function showTab(one, choose) {
  const label = `${one.public ? "Public" : "Private"} · ${one.customer}`;
  return element(
    "button",
    {
      type: "button", role: "tab", id: `tab-${one.id}`, "aria-controls": "messages",
      "aria-selected": String(one.id === chosen), onclick: choose,
    },
    element("span", {}, label),
    element("span", { class: "begins" }, one.begins),
  );
}

function showMessage(message) {
  const outcome = OUTCOMES[message.status];
  const details = [
    clock(message.at),
    message.answers ? `answers ${message.answers}` : null,
    message.ours ? (message.public ? "public" : "private") : null,
  ];
  return element(
    "li",
    { id: `message-${message.id}`, class: `entry ${message.ours ? "ours" : "theirs"}` },
    element("span", { class: "who" }, message.ours ? "you" : message.name),
    element("span", { class: "meta" }, details.filter(Boolean).join(" · ")),
    ...showText(message.text),
    ...showAttachments(message.attachments),
    outcome ? element("div", { class: `meta ${outcome[0]}` }, outcome[1](message)) : null,
  );
}

// What the connector quotes stands behind ">": it is shown apart, in the very words that came.
function showText(text) {
  const parts = [];
  for (const line of text ? text.split("\n") : []) {
    const tag = line.startsWith(">") ? "blockquote" : "p";
    if (parts.at(-1)?.tag !== tag) parts.push({ tag, lines: [] });
    parts.at(-1).lines.push(line);
  }
  return parts.map(({ tag, lines }) => element(tag, {}, lines.join("\n").trim()));
}

function showAttachments(attachments) {
  const images = attachments.filter((one) => one.mediaType === "Image");
  const others = attachments.filter((one) => one.mediaType !== "Image");
  const shown = images.map(({ url, text, filename }) => ({ thumb: url, fullsize: url, alt: text || filename }));
  return [...(images.length ? [showImages(shown)] : []), ...others.map(showAttachment)];
}

function showAttachment({ mediaType, mime, url, text, filename }) {
  if (mediaType === "Video" || mime === PLAYLIST) return link(url, { class: "attached" }, `▶ Video: ${text || filename || url}`);
  if (mediaType === "Link") return showCard({ uri: url, title: text });
  return link(url, { class: "attached" }, `${mediaType}: ${text || filename || url}`);
}

async function reply(text, isPublic, attached = []) {
  return send("api/agent/reply", { conversation: chosen, text, public: isPublic, files: attached });
}

export function startDesk() {
  $("agent-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const isPublic = event.submitter?.value !== "private";
    if (!await reply($("agent-text").value, isPublic, await files.read())) return;
    $("agent-text").value = "";
    files.clear();
  });
  $("agent-like").addEventListener("click", () => reply("!like", true));
  $("agent-repost").addEventListener("click", () => reply("!repost", true));
}
