/**
 * A picture's blurred shadow from its blurhash, for the moment before the picture is there. The formulas are those of the
 * format's own description, "BlurHash Algorithm" (woltapp/blurhash, Algorithm.md): base 83, a DCT with up to 9 × 9 components.
 */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~';

/** @param {string} text @returns {number} -1 if it is no number of base 83 */
function number83(text) {
  let value = 0;
  for (const digit of text) {
    const at = DIGITS.indexOf(digit);
    if (at < 0) return -1;
    value = value * 83 + at;
  }
  return value;
}

/** @param {number} value 0 to 255 */
function linear(value, part = value / 255) {
  return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
}

/** @param {number} value */
function srgb(value) {
  const part = Math.min(1, Math.max(0, value));
  return Math.round((part <= 0.0031308 ? part * 12.92 : 1.055 * part ** (1 / 2.4) - 0.055) * 255);
}

/** @param {number} value @param {number} most */
function alternating(value, most, part = (value - 9) / 9) {
  return Math.sign(part) * part * part * most;
}

/**
 * @param {string} hash @param {number} width @param {number} height
 * @returns {Uint8ClampedArray|null} RGBA; null for what is no blurhash
 */
export function decodeBlurhash(hash, width, height) {
  const size = number83(hash.slice(0, 1));
  const [across, down] = [(size % 9) + 1, Math.floor(size / 9) + 1];
  if (size < 0 || size > 80 || hash.length !== 4 + 2 * across * down || number83(hash) < 0) return null;
  const most = (number83(hash[1]) + 1) / 166;
  const average = number83(hash.slice(2, 6));
  const colours = [[linear(average >> 16), linear((average >> 8) & 255), linear(average & 255)]];
  for (let at = 1; at < across * down; at += 1) {
    const value = number83(hash.slice(4 + at * 2, 6 + at * 2));
    colours.push([Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19].map((part) => alternating(part, most)));
  }
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) for (let x = 0; x < width; x += 1) {
    const sum = [0, 0, 0];
    colours.forEach((colour, at) => {
      const basis = Math.cos((Math.PI * x * (at % across)) / width) * Math.cos((Math.PI * y * Math.floor(at / across)) / height);
      for (let part = 0; part < 3; part += 1) sum[part] += colour[part] * basis;
    });
    pixels.set([...sum.map(srgb), 255], (y * width + x) * 4);
  }
  return pixels;
}
