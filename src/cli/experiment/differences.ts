/** Owns how a difference between two arms is worded. Pure. */

import type { Report } from '../../experiment/report.ts';
import { figure } from '../figures.ts';

/** A difference of shares is in percentage points, so that it is not taken for the lift. */
export function differenceWords(value: number, kind: Report['metrics'][number]['kind']): string {
  return kind === 'conversion' ? `${(value * 100).toFixed(2)} pp` : figure(value);
}
