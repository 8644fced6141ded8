// Weights of styles: from their files, and the mean of several.

export function unpacked(packed, type) { // float16 or float32, little-endian as all browsers are
  if (type === "float32") return new Float32Array(packed);
  return Float32Array.from(new Uint16Array(packed), fromHalf);
}

function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -24 * fraction; // no file has others
}

export function mixed(arrays, shares) { // which add up to 1
  if (arrays.length === 1) return arrays[0];
  return arrays[0].map((_, i) => arrays.reduce((sum, array, n) => sum + shares[n] * array[i], 0));
}
