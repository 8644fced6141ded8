// Photos at full size, as far as this browser has the memory.

import { say } from "../page/elements.js";

// Pixels at first: 150 to 230 bytes for each are needed, and phones end pages that take too many.
const MOST = matchMedia("(pointer: coarse)").matches ? 4e6 : 12e6;
const LEAST = 250_000; // pixels below which something other than memory is missing
const QUALITY = 0.92;

export async function stylizePhoto(painter, file, look, signal) {
  const image = await createImageBitmap(file).catch(() => {
    throw new Error("this browser cannot read this picture; open it elsewhere and save it as JPEG or PNG");
  });
  let most = Math.min(MOST, image.width * image.height);
  try {
    for (;;) {
      const canvas = drawn(image, most), { width, height } = canvas, context = canvas.getContext("2d");
      signal.throwIfAborted();
      try {
        const { data } = context.getImageData(0, 0, width, height);
        const { pixels } = await painter.photo({ pixels: data.buffer, width, height, ...look });
        signal.throwIfAborted();
        context.putImageData(new ImageData(new Uint8ClampedArray(pixels), width, height), 0, 0);
        const type = file.type === "image/jpeg" ? "image/jpeg" : "image/png";
        const blob = await new Promise((done) => canvas.toBlob(done, type, QUALITY));
        if (!blob) throw new Error("the picture cannot be written");
        if (width < image.width) say(`Made ${width} × ${height} of ${image.width} × ${image.height} pixels: more do not fit into this browser’s memory.`);
        return blob;
      } catch (error) {
        if (signal.aborted) throw error;
        await painter.restart();
        if (most / 2 < LEAST) throw error;
        most /= 2;
      }
    }
  } finally { image.close(); }
}

function drawn(image, most) { // as a canvas of at most so many pixels
  const scale = Math.min(1, Math.sqrt(most / (image.width * image.height)));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.floor(scale * image.width));
  canvas.height = Math.max(1, Math.floor(scale * image.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}
