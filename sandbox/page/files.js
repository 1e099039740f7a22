// Files that a person has chosen to send: shown small, each with a place for its alt text.

import { element } from "./dom.js";

// Returns how to ask for the chosen files, in the shape in which the page's server takes them,
// and how to forget them. "changed" is called with their number whenever it changes.
export function choosesFiles(input, list, changed) {
  let chosen = [];

  function forget(one) {
    chosen = chosen.filter((other) => other !== one);
    one.row.remove();
    changed(chosen.length);
  }

  input.addEventListener("change", () => {
    for (const file of input.files) {
      const one = { file, alt: element("input", { type: "text", maxlength: 2000 }), loaded: load(file) };
      one.row = showChosen(one, () => { forget(one); input.focus(); });
      one.loaded.then((loaded) => loaded.size && one.row.prepend(element("img", { src: loaded.address, alt: "" })));
      chosen.push(one);
      list.append(one.row);
    }
    input.value = "";
    changed(chosen.length);
  });

  return {
    read: () => Promise.all(chosen.map(async ({ file, alt, loaded }) => {
      const { address, size } = await loaded;
      return { name: file.name, mime: file.type, alt: alt.value.trim(), size, content: contentOf(address) };
    })),
    clear: () => [...chosen].forEach(forget),
  };
}

// The part of a data: address that is the content, in base64.
export const contentOf = (address) => address.slice(address.indexOf(",") + 1);

function showChosen({ file, alt }, remove) {
  return element(
    "li",
    {},
    element("label", {}, `Alt text of ${file.name}`, alt),
    element("button", { type: "button", class: "small", "aria-label": `Remove ${file.name}`, onclick: remove }, "Remove"),
  );
}

async function load(file) {
  const address = await new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
  // A file that is no image has no size; whether it may be sent is for the platforms to say.
  const bitmap = file.type.startsWith("image/") ? await createImageBitmap(file).catch(() => null) : null;
  return { address, size: bitmap && [bitmap.width, bitmap.height] };
}
