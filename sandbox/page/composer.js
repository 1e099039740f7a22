// What the customer writes: a post, with what belongs to it, or a direct message.

import { readCard, removeCard, startCard } from "./card.js";
import { $, draw, element } from "./dom.js";
import { choosesFiles } from "./files.js";
import { send } from "./server.js";

const about = { replying: null, quoting: null };
const files = choosesFiles($("customer-files"), $("customer-chosen"), (count) => {
  $("customer-text").required = count === 0;
});
let brand = "…";

const isDirect = () => document.querySelector('[name="mode"]:checked').value === "direct";

export const currentCustomer = () => $("customer").value;

export function showCustomers(picture) {
  brand = picture.brand.handle;
  draw("customers", picture.customers, () => {
    $("customer").replaceChildren(...picture.customers.map((one) =>
      element("option", { value: one.handle }, `${one.display_name} (@${one.handle})`)));
    showComposer();
  });
}

export const answer = (post) => choose("replying", post);
export const quote = (post) => choose("quoting", post);

function choose(what, post) {
  about[what] = post;
  document.querySelector('[name="mode"][value="post"]').checked = true;
  showComposer();
  $("customer-text").focus();
}

function showComposer() {
  const direct = isDirect();
  showAbout("replying", "Replying to", direct);
  showAbout("quoting", "Quoting", direct);
  $("customer-extras").hidden = $("customer-tools").hidden = direct;
  $("customer-send").textContent = direct ? "Send" : about.replying ? "Reply" : "Post";
  $("customer-text").placeholder = direct
    ? "Write to the company in private…"
    : `Mention @${brand} and the company is told…`;
}

function showAbout(what, words, direct) {
  const post = about[what];
  $(what).hidden = direct || !post;
  $(what).replaceChildren(...(post ? [
    `${words} @${post.handle}: ${post.text.slice(0, 60)} `,
    element("button", { type: "button", class: "small", onclick: () => choose(what, null) }, "Cancel"),
  ] : []));
}

async function submit() {
  const body = { customer: currentCustomer(), text: $("customer-text").value };
  if (isDirect()) return send("api/customer/direct-message", body);
  return send("api/customer/post", {
    ...body,
    reply_to: about.replying?.uri,
    quote: about.quoting?.uri,
    files: await files.read(),
    card: readCard(),
  });
}

function clear() {
  $("customer-text").value = "";
  if (isDirect()) return;
  about.replying = about.quoting = null;
  files.clear();
  removeCard();
  showComposer();
}

export function startComposer(show) {
  startCard();
  $("customer").addEventListener("change", show);
  $("customer-mode").addEventListener("change", showComposer);
  $("customer-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await submit()) clear();
  });
}
