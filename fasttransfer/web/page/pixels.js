// RGBA bytes of a canvas to the planes of a network, float RGB in [0, 1], and back. As in
// fasttransfer/stylizing/stylizer.py.

const LUMA = [0.299, 0.587, 0.114]; // Rec. 601

export function toPlanes(rgba) {
  const count = rgba.length / 4, planes = new Float32Array(3 * count);
  for (let i = 0, at = 0; i < count; i++, at += 4) {
    planes[i] = rgba[at] / 255;
    planes[count + i] = rgba[at + 1] / 255;
    planes[2 * count + i] = rgba[at + 2] / 255;
  }
  return planes;
}

export function padded(planes, width, height, smallest) { // reflected at the bottom and the right
  const wide = Math.max(width, smallest), high = Math.max(height, smallest);
  if (wide === width && high === height) return { planes, width, height };
  const mirrored = (place, side) => { // 0 1 2 3 2 1 0 1 …
    const period = Math.max(1, 2 * (side - 1)), within = place % period;
    return within < side ? within : period - within;
  };
  const larger = new Float32Array(3 * wide * high);
  for (let plane = 0, to = 0; plane < 3; plane++) {
    for (let y = 0; y < high; y++) {
      const row = (plane * height + mirrored(y, height)) * width;
      for (let x = 0; x < wide; x++) larger[to++] = planes[row + mirrored(x, width)];
    }
  }
  return { planes: larger, width: wide, height: high };
}

const clamped = (value) => Math.min(1, Math.max(0, value));

// pictures: planes of `stride` pixels a row, each with its share; they are clamped before they are mixed.
export function finish(photo, width, height, pictures, stride, { strength, color }) {
  const count = pictures[0][0].length / 3, result = new Uint8ClampedArray(photo.length); // rounds and clamps
  for (let y = 0, at = 0; y < height; y++) {
    for (let from = y * stride, end = from + width; from < end; from++, at += 4) {
      let r = 0, g = 0, b = 0;
      for (const [planes, share] of pictures) {
        r += share * clamped(planes[from]);
        g += share * clamped(planes[count + from]);
        b += share * clamped(planes[2 * count + from]);
      }
      const red = photo[at] / 255, green = photo[at + 1] / 255, blue = photo[at + 2] / 255;
      if (color === "content") {
        const more = LUMA[0] * (r - red) + LUMA[1] * (g - green) + LUMA[2] * (b - blue);
        [r, g, b] = [clamped(red + more), clamped(green + more), clamped(blue + more)];
      }
      result[at] = 255 * (red + strength * (r - red));
      result[at + 1] = 255 * (green + strength * (g - green));
      result[at + 2] = 255 * (blue + strength * (b - blue));
      result[at + 3] = photo[at + 3];
    }
  }
  return result;
}
