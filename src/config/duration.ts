/** Owns how durations are written in documents and calls (`"500ms"`, `"90s"`, `"10m"`, `"24h"`). It knows no clock. */

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a written duration, or null when it is not one. */
export function durationMs(written: string): number | null {
  const parts = /^(\d{1,9})(ms|s|m|h)$/.exec(written);
  if (parts === null) return null;
  return Number(parts[1]) * (unitMs[parts[2]!] ?? 0);
}
