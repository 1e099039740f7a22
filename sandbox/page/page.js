// Shows what the two sandbox servers hold, and lets one person play both sides.
// The whole picture comes again at each change ("/api/events"); nothing is kept here but the
// choices of whoever looks: which customer, which conversation, what is being written.

import { showActors } from "./actors.js";
import { currentCustomer, showCustomers, startComposer } from "./composer.js";
import { showDesk, startDesk } from "./desk.js";
import { showDirectMessages, showPosts } from "./posts.js";

let picture = null;

function show() {
  if (!picture) return;
  showCustomers(picture);
  showPosts(picture);
  showDirectMessages(picture, currentCustomer());
  showDesk(picture);
  showActors(picture);
}

startComposer(show);
startDesk();

const events = new EventSource("api/events");
events.addEventListener("message", (event) => { picture = JSON.parse(event.data); show(); });
