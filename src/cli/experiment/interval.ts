/** Owns the bar of an interval: where it lies around zero, at a glance. Pure. */

const END_LEFT = '├';
const END_RIGHT = '┤';

/**
 * `width` characters (odd) with zero (`│`) in the middle, the interval as a line between its ends, and the difference as a dot.
 * The scale fits the further end, so that an interval that is clear of zero is seen to be so.
 */
export function intervalBar([lo, hi]: readonly [number, number], difference: number, width: number): string {
  const middle = (width - 1) / 2;
  const reach = Math.max(Math.abs(lo), Math.abs(hi), Math.abs(difference));
  if (!Number.isFinite(reach)) return '·'.repeat(width);
  const place = (value: number) => {
    const at = middle + (reach === 0 ? 0 : Math.round((value / reach) * middle));
    // Rounding must not let an interval touch zero that does not, nor seem clear of one that does.
    return value !== 0 && at === middle ? middle + Math.sign(value) : at;
  };
  const cells = Array.from({ length: width }, () => '·');
  const [from, to] = [place(lo), place(hi)];
  for (let at = from; at <= to; at++) cells[at] = '─';
  cells[middle] = from <= middle && middle <= to ? '┼' : '│';
  if (from !== to) [cells[from], cells[to]] = [END_LEFT, END_RIGHT];
  cells[place(difference)] = '●';
  return cells.join('');
}

/** Whether it has no width. Where all units did the same (none was converted, mostly) nothing is known of how far the arms may differ. */
export function isNone([lo, hi]: readonly [number, number]): boolean {
  return lo === hi;
}
