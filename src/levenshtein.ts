/**
 * Owns the edit distance of two texts, bit-parallel: Myers (J. ACM 46, 1999) in Hyyrö's form for texts of any length (2003), 32 rows
 * of the table at a time. Written out because it is half of what the library weighs.
 */

/** Fewest insertions, deletions and replacements of UTF-16 units that make one text the other. */
export function distance(a: string, b: string): number {
  if (a === '') return b.length;
  const blocks = Math.ceil(a.length / 32);
  const places = placesOf(a, blocks);
  const nowhere = new Int32Array(blocks);
  const up = new Int32Array(blocks).fill(-1);
  const down = new Int32Array(blocks);
  const last = 1 << ((a.length - 1) & 31);
  let score = a.length;
  for (let column = 0; column < b.length; column++) {
    const here = places.get(b.charCodeAt(column)) ?? nowhere;
    // What goes over from block to block; into the first from the table's edge, where each column costs one more.
    let [plus, minus] = [1, 0];
    for (let block = 0; block < blocks; block++) {
      const [pv, mv] = [up[block]!, down[block]!];
      const equal = here[block]! | minus;
      const diagonal = (((equal & pv) + pv) ^ pv) | equal;
      const vertical = here[block]! | mv;
      let ph = mv | ~(diagonal | pv);
      let mh = pv & diagonal;
      if (block === blocks - 1) score += (ph & last ? 1 : 0) - (mh & last ? 1 : 0);
      const [plusOut, minusOut] = [ph >>> 31, mh >>> 31];
      ph = (ph << 1) | plus;
      mh = (mh << 1) | minus;
      up[block] = mh | ~(vertical | ph);
      down[block] = ph & vertical;
      plus = plusOut;
      minus = minusOut;
    }
  }
  return score;
}

/** By character, where it stands in the text, as bits. */
function placesOf(text: string, blocks: number): Map<number, Int32Array> {
  const places = new Map<number, Int32Array>();
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const bits = places.get(code) ?? new Int32Array(blocks);
    bits[at >> 5]! |= 1 << (at & 31);
    places.set(code, bits);
  }
  return places;
}
