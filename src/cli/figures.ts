/** Owns how numbers look in the CLI's reports. Pure. An absent number is a dash, never a zero. */

const absent = '–';

export const whole = (n: number): string => n.toLocaleString('en');

/** A share from 0 to 1 as percent. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : absent;
}

/** Milliseconds with as many digits as tell something. */
export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return absent;
  const size = Math.abs(value);
  return size >= 1000 ? whole(Math.round(value)) : value.toFixed(size >= 100 ? 0 : 1);
}

/** A number of any size in at most four digits that matter. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return absent;
  const size = Math.abs(value);
  if (size >= 1000) return whole(Math.round(value));
  return size >= 1 || value === 0 ? String(Math.round(value * 100) / 100) : String(Number(value.toPrecision(3)));
}

/** With its sign, so that more and less are told apart at a glance. */
export function signed(value: number | null | undefined, format: (value: number) => string): string {
  if (value === null || value === undefined) return absent;
  const text = format(Math.abs(value));
  if (!/[1-9]/.test(text)) return text;
  return `${value > 0 ? '+' : '−'}${text}`;
}

/** Evidence, which grows past all reading. */
export function evidence(e: number): string {
  return e < 1000 ? String(Number(e.toPrecision(2))) : `10^${Math.floor(Math.log10(e))}`;
}

/** A bar of blocks; whatever is not nothing shows at least one. */
export function bar(share: number, width: number): string {
  const filled = share > 0 ? Math.max(1, Math.round(share * width)) : 0;
  return '█'.repeat(filled).padEnd(width, '░');
}
