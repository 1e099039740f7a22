// What is embedded in a post, from the views that Bluesky gives its clients ("app.bsky.embed.*").

import { element } from "./dom.js";
import { showCard, showImages, showVideo } from "./media.js";

const SHOWN = new Map([
  ["app.bsky.embed.images#view", (embed) => [showImages(embed.images)]],
  ["app.bsky.embed.gallery#view", (embed) =>
    [showImages(embed.items.map((item) => ({ ...item, thumb: item.thumbnail })))]],
  ["app.bsky.embed.external#view", (embed) => [showCard(embed.external)]],
  ["app.bsky.embed.video#view", (embed) => [showVideo(embed)]],
  ["app.bsky.embed.record#view", (embed) => [showQuote(embed.record)]],
  ["app.bsky.embed.recordWithMedia#view", (embed) =>
    [...showEmbed(embed.media), showQuote(embed.record.record)]],
]);

const NOT_SHOWN = new Map([
  ["app.bsky.embed.record#viewNotFound", "The quoted post was deleted."],
  ["app.bsky.embed.record#viewBlocked", "The quoted post is hidden by a block."],
]);

export function showEmbed(embed) {
  if (!embed) return [];
  const show = SHOWN.get(embed.$type);
  return show ? show(embed) : [element("p", { class: "meta" }, `Not shown here: ${embed.$type}`)];
}

function showQuote(record) {
  if (record.$type !== "app.bsky.embed.record#viewRecord") {
    const why = NOT_SHOWN.get(record.$type) ?? `Not shown here: ${record.$type}`;
    return element("p", { class: "quote meta" }, why);
  }
  const { author, value, embeds } = record;
  return element(
    "blockquote",
    { class: "quote" },
    element("span", { class: "who" }, author.displayName || author.handle),
    element("span", { class: "meta" }, `@${author.handle}`),
    element("p", {}, value.text),
    ...(embeds ?? []).flatMap(showEmbed),
  );
}
