/** Owns the numbers that a route's `measures` read from reply headers: resource use, as the origin itself tells it. */

import type { Measure } from '../config/types.ts';
import { MAX_MEASURED } from './limits.ts';

/** The declared measures that a reply names; a header that holds no number is left out. */
export function readMeasures(measures: readonly Measure[], headers: Pick<Headers, 'get'>): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { name, header, entry } of measures) {
    const text = headers.get(header);
    if (text === null) continue;
    const value = entry === undefined ? Number(text) : serverTiming(text, entry);
    if (text.trim() !== '' && value !== null && Math.abs(value) <= MAX_MEASURED) found[name] = value;
  }
  return found;
}

/** The duration of one entry of a `Server-Timing` header (W3C Server Timing §3). */
function serverTiming(text: string, entry: string): number | null {
  for (const metric of text.split(',')) {
    const [name, ...parameters] = metric.split(';').map((part) => part.trim());
    if (name !== entry) continue;
    const duration = parameters.find((parameter) => /^dur\s*=/i.test(parameter));
    if (duration !== undefined) return Number(duration.replace(/^dur\s*=\s*"?|"$/gi, ''));
  }
  return null;
}
