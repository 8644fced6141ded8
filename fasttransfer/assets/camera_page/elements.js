// Elements of the page, what they show, and the notice at its bottom.

export const $ = (id) => document.getElementById(id);

let hiding;

export function say(what, link) { // a link as {link, name}
  const toast = $("toast");
  toast.textContent = what;
  toast.title = "";
  if (link) toast.append(Object.assign(document.createElement("a"), { href: link.link, textContent: "Download", download: link.name }));
  toast.classList.add("shown");
  clearTimeout(hiding);
  hiding = setTimeout(() => toast.classList.remove("shown"), link ? 8000 : 5000);
}

export function text(where, what) {
  const element = typeof where === "string" ? $(where) : where;
  if (element.textContent !== what) element.textContent = what;
}

export function draw(canvas, image) {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.getContext("2d", { alpha: false, desynchronized: true }).drawImage(image, 0, 0);
}
