/** Owns how numbers look in the CLI's reports. Pure. An absent number is a dash, never a zero. */

const absent = '–';

/** Digits in groups of three. */
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

/** A duration for people, in its two largest units: `45 s`, `5 min 50 s`, `2 h 5 min`. */
export function lasting(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  if (durationMs > 0 && durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([n]) => n > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

/** Weights or shadows in one line: `blue 90 %, green 10 %`. What has nothing is left out. */
export function shares(percents: Record<string, number>): string {
  const some = Object.entries(percents).filter(([, percent]) => percent > 0);
  return some.length === 0 ? 'nothing' : some.map(([name, percent]) => `${name} ${percent} %`).join(', ');
}

/** The time of day of an instant in ISO 8601, with the day when it is not today's. */
export function clock(at: string, nowMs: number): string {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const [day, time = ''] = at.split('T');
  return `${day === today ? '' : `${day} `}${time.slice(0, 8)} UTC`;
}
