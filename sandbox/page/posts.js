// The customer's side: public posts in their threads, and the direct messages.

import { answer, quote } from "./composer.js";
import { $, clock, draw, element, fill, fillToEnd } from "./dom.js";
import { showEmbed } from "./embeds.js";

const DEEPEST_INDENTED = 6;

export function showPosts(picture) {
  draw("posts", picture.threads, () => fill($("posts"), picture.threads.map((thread) => showThread(thread))));
}

function showThread({ post, replies }, depth = 0) {
  const below = replies.map((reply) => showThread(reply, depth + 1));
  const indented = depth < DEEPEST_INDENTED ? "replies" : "replies flat";
  return element(
    "li",
    {},
    showPost(post),
    below.length ? element("ol", { class: indented, "aria-label": `Replies to @${post.handle}` }, ...below) : null,
  );
}

function showPost(post) {
  const counts = [
    post.likes ? element("span", { role: "img", "aria-label": `${post.likes} likes` }, `♥ ${post.likes}`) : null,
    post.reposts ? element("span", { role: "img", "aria-label": `${post.reposts} reposts` }, `⟳ ${post.reposts}`) : null,
  ];
  return element(
    "article",
    { id: post.uri, class: `entry ${post.ours ? "ours" : "theirs"}` },
    element("span", { class: "who" }, post.display_name || post.handle),
    post.ours ? element("span", { class: "badge" }, "the company") : null,
    element("span", { class: "meta" }, `@${post.handle} · ${clock(post.created_at)}`),
    post.text ? element("p", {}, post.text) : null,
    ...showEmbed(post.embed),
    element("div", { class: "meta" }, ...counts, showAct(post, "Reply", answer), showAct(post, "Quote", quote)),
  );
}

function showAct(post, word, act) {
  return element("button", {
    type: "button", class: "small", id: `${word}-${post.uri}`, "aria-label": `${word} @${post.handle}`, onclick: () => act(post),
  }, word);
}

export function showDirectMessages(picture, customer) {
  $("direct-of").textContent = `@${customer}`;
  const messages = picture.direct_messages[customer] ?? [];
  draw("direct", [customer, messages], () => fillToEnd($("direct"), messages.map((message) =>
    element(
      "li",
      { id: `direct-${message.id}`, class: `entry ${message.ours ? "ours" : "theirs"}` },
      element("span", { class: "who" }, message.ours ? "the company" : `@${customer}`),
      element("span", { class: "meta" }, clock(message.sent_at)),
      element("p", {}, message.text),
    ))));
}
