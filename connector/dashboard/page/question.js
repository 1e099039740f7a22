// Asks before something is done that cannot be undone, or that customers feel.

import { $, write } from "./dom.js";

// Returns whether the answer was yes.
export function ask(title, text, yes) {
  const dialog = $("question");
  write($("question-title"), title);
  write($("question-text"), text);
  write($("question-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}
