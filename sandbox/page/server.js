// What is done on the page, told to its server.

import { $ } from "./dom.js";

// Returns whether it was done; if it was refused, the page says why.
export async function send(path, body) {
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
