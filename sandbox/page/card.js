// The link card that a customer adds to a post: typed, or the prepared example.

import { $ } from "./dom.js";
import { contentOf } from "./files.js";
import { showCard } from "./media.js";

const FIELDS = ["uri", "title", "description"];
const EXAMPLE = {
  uri: "https://help.example/model-3/update",
  title: "Model 3 stays dark after the update",
  description: "What to try before you send it in, step by step.",
};
let thumb = null;

const isOpen = () => !$("card").hidden;

function setOpen(open) {
  $("card").hidden = $("card").disabled = !open;
}

function showPreview() {
  const card = Object.fromEntries(FIELDS.map((name) => [name, $(`card-${name}`).value]));
  $("card-preview").replaceChildren(...(card.uri ? [showCard({ ...card, thumb })] : []));
}

function set(card, picture) {
  for (const name of FIELDS) $(`card-${name}`).value = card[name] ?? "";
  thumb = picture;
  showPreview();
}

export function readCard() {
  if (!isOpen()) return null;
  const card = Object.fromEntries(FIELDS.map((name) => [name, $(`card-${name}`).value.trim()]));
  const file = thumb && { content: contentOf(thumb), mime: "image/png", alt: "" };
  return { ...card, thumb: file };
}

export function removeCard() {
  set({}, null);
  setOpen(false);
}

const findLink = (text) => text.match(/https?:\/\/\S+/)?.[0];

function addCard(uri) {
  set({ uri }, null);
  setOpen(true);
}

function drawThumb() {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [320, 180];
  const context = canvas.getContext("2d");
  const box = (color, x, y, width, height, radius) => {
    context.fillStyle = color;
    context.beginPath();
    context.roundRect(x, y, width, height, radius);
    context.fill();
  };
  box("#ffd9a8", 0, 0, 320, 180, 0);
  box("#2b3442", 120, 20, 80, 140, 14);
  box("#4a5870", 128, 34, 64, 104, 4);
  box("#ffd9a8", 152, 144, 16, 8, 4);
  return canvas.toDataURL("image/png");
}

export function startCard() {
  removeCard();
  $("card-add").addEventListener("click", () => {
    addCard(findLink($("customer-text").value));
    $("card-uri").focus();
  });
  $("card-remove").addEventListener("click", () => { removeCard(); $("card-add").focus(); });
  $("card-example").addEventListener("click", () => set(EXAMPLE, drawThumb()));
  $("card").addEventListener("input", showPreview);
  $("card-uri").addEventListener("input", () => { thumb = null; showPreview(); });
  $("customer-text").addEventListener("paste", (event) => {
    const uri = findLink(event.clipboardData.getData("text"));
    if (uri && !isOpen() && !$("customer-extras").hidden) addCard(uri);
  });
}
