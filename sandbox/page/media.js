// Pictures, cards and videos, as both sides show them.

import { element } from "./dom.js";

function readWebAddress(uri) {
  const address = URL.canParse(uri) ? new URL(uri) : null;
  return address && ["http:", "https:"].includes(address.protocol) ? address : null;
}

// Only a web address becomes a link: whatever else somebody names in a post stays text.
export function link(uri, attributes, ...children) {
  if (!readWebAddress(uri)) return element("span", attributes, ...children);
  return element("a", { ...attributes, href: uri, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

// Each image has the addresses of a small and of the full picture, and its alt text.
export function showImages(images) {
  return element("ul", { class: "images" }, ...images.map(({ thumb, fullsize, alt }) =>
    element(
      "li",
      {},
      link(fullsize, {}, element("img", { src: thumb, alt: alt || "Image without alt text" })),
      element("span", { class: "alt", "aria-hidden": "true" }, alt || "no alt text"),
    )));
}

export function showCard({ uri, title, description, thumb }) {
  return link(
    uri,
    { class: "card" },
    thumb ? element("img", { src: thumb, alt: "" }) : null,
    element(
      "span",
      { class: "words" },
      element("strong", {}, title || uri),
      description ? element("span", {}, description) : null,
      element("span", { class: "meta" }, readWebAddress(uri)?.host ?? uri),
    ),
  );
}

export function showVideo({ alt, playlist, thumbnail }) {
  return link(
    playlist,
    { class: "card video" },
    thumbnail ? element("img", { src: thumbnail, alt: "" }) : null,
    element("span", { class: "words" }, element("strong", {}, "▶ Video"), element("span", {}, alt || "no alt text")),
  );
}
