// Shows what the two sandbox servers hold, and lets one person play both sides.
// The whole picture comes again at each change ("/api/events"); nothing is kept here but the
// choices of whoever looks: which customer, which conversation, which post is being answered.

const $ = (id) => document.getElementById(id);
const choice = { customer: null, replyTo: null, conversation: null };
const shown = new Set();
const drawn = new Map();
let picture = null;

// Draws a part of the page only when what it shows has changed: a button that is replaced while it
// is being pressed would not hear the click.
function draw(part, data, how) {
  const text = JSON.stringify(data);
  if (drawn.get(part) === text) return;
  drawn.set(part, text);
  how();
}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") node.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const clock = (time) => new Date(time).toLocaleTimeString();

async function send(path, body) {
  $("problem").hidden = true;
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return true;
  const { message } = await answer.json().catch(() => ({ message: answer.statusText }));
  $("problem").textContent = message;
  $("problem").hidden = false;
  return false;
}

function fill(list, items) {
  for (const item of items) {
    if (!shown.has(item.id)) item.classList.add("new");
    shown.add(item.id);
  }
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...items);
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function showPost(post) {
  const counts = [
    post.likes ? `♥ ${post.likes}` : null,
    post.reposts ? `⟳ ${post.reposts}` : null,
  ].filter(Boolean);
  const item = element(
    "li",
    { id: post.uri, class: post.ours ? "ours" : "theirs", "data-depth": post.depth },
    element("span", { class: "who" }, `${post.display_name || post.handle} `),
    element("span", { class: "meta" }, `@${post.handle} · ${clock(post.created_at)}`),
    element("p", {}, post.text),
    element(
      "div",
      { class: "meta" },
      ...counts,
      element("button", { type: "button", class: "small", onclick: () => answer(post) }, "Reply"),
    ),
  );
  item.style.setProperty("--depth", Math.min(post.depth, 6));
  return item;
}

function answer(post) {
  choice.replyTo = post.uri;
  document.querySelector('[name="mode"][value="post"]').checked = true;
  showComposer();
  $("customer-text").focus();
}

function showComposer() {
  const direct = document.querySelector('[name="mode"]:checked').value === "direct";
  const post = picture?.posts.find((one) => one.uri === choice.replyTo);
  $("replying").hidden = direct || !post;
  if (post) {
    draw("replying", post, () => $("replying").replaceChildren(
      `Replying to @${post.handle}: ${post.text.slice(0, 60)} `,
      element("button", { type: "button", class: "small", onclick: () => { choice.replyTo = null; showComposer(); } }, "Cancel"),
    ));
  }
  $("customer-send").textContent = direct ? "Send" : post ? "Reply" : "Post";
  $("customer-text").placeholder = direct
    ? "Write to the company in private…"
    : `Mention @${picture?.brand.handle ?? "…"} and the company is told…`;
}

function showCustomers() {
  draw("customers", picture.customers, () => $("customer").replaceChildren(
    ...picture.customers.map((one) => element("option", { value: one.handle }, `${one.display_name} (@${one.handle})`)),
  ));
  choice.customer = $("customer").value;
  $("direct-of").textContent = `@${choice.customer}`;
  const messages = picture.direct_messages[choice.customer] ?? [];
  draw("direct", [choice.customer, messages], () => fill($("direct"), messages.map((message) =>
    element(
      "li",
      { id: `direct-${message.id}`, class: message.ours ? "ours" : "theirs" },
      element("span", { class: "who" }, message.ours ? "the company " : `@${choice.customer} `),
      element("span", { class: "meta" }, clock(message.sent_at)),
      element("p", {}, message.text),
    ))));
}

function showConversations() {
  const all = picture.conversations;
  if (!all.some((one) => one.id === choice.conversation)) choice.conversation = all[0]?.id ?? null;
  const tabs = all.map((one) => [one.id, one.public, one.customer]);
  draw("conversations", [choice.conversation, tabs], () => $("conversations").replaceChildren(...all.map((one) =>
    element(
      "button",
      {
        type: "button", role: "tab", "aria-selected": String(one.id === choice.conversation),
        onclick: () => { choice.conversation = one.id; showConversations(); },
      },
      `${one.public ? "Public" : "Private"} · ${one.customer}`,
    ))));
  const conversation = all.find((one) => one.id === choice.conversation);
  draw("messages", conversation ?? null, () => fill($("messages"), (conversation?.messages ?? []).map(showMessage)));
  for (const id of ["agent-text", "agent-private", "agent-public", "agent-like", "agent-repost"]) {
    $(id).disabled = !conversation || (!conversation.public && !["agent-text", "agent-private"].includes(id));
  }
}

function showMessage(message) {
  const outcome = {
    waiting: ["wait", "waiting for a receipt"],
    Delivered: ["good", "✓ delivered"],
    Failed: ["bad", `✗ failed: ${message.reason ?? ""}`],
    undeliverable: ["bad", "✗ the webhook could not be delivered"],
  }[message.status];
  return element(
    "li",
    { id: `message-${message.id}`, class: message.ours ? "ours" : "theirs" },
    element("span", { class: "who" }, message.ours ? "you " : `${message.name} `),
    element("span", { class: "meta" }, `${clock(message.at)}${message.ours ? (message.public ? " · public" : " · private") : ""}`),
    element("p", {}, message.text),
    outcome ? element("div", { class: `meta ${outcome[0]}` }, outcome[1]) : null,
  );
}

function showActors() {
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

function show() {
  showCustomers();
  showComposer();
  draw("posts", picture.posts, () => fill($("posts"), picture.posts.map(showPost)));
  showConversations();
  showActors();
}

$("customer").addEventListener("change", show);
$("customer-mode").addEventListener("change", showComposer);
$("customer-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const direct = document.querySelector('[name="mode"]:checked').value === "direct";
  const body = { customer: choice.customer, text: $("customer-text").value };
  const sent = direct
    ? await send("api/customer/direct-message", body)
    : await send("api/customer/post", { ...body, reply_to: choice.replyTo });
  if (!sent) return;
  choice.replyTo = null;
  event.target.elements["customer-text"].value = "";
  showComposer();
});

async function reply(text, isPublic) {
  const sent = await send("api/agent/reply", { conversation: choice.conversation, text, public: isPublic });
  if (sent && text === $("agent-text").value) $("agent-text").value = "";
}
$("agent-form").addEventListener("submit", (event) => {
  event.preventDefault();
  reply($("agent-text").value, event.submitter?.value !== "private");
});
$("agent-like").addEventListener("click", () => reply("!like", true));
$("agent-repost").addEventListener("click", () => reply("!repost", true));

const events = new EventSource("api/events");
events.addEventListener("message", (event) => { picture = JSON.parse(event.data); show(); });
