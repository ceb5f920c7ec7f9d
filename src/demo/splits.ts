/**
 * Owns the reading of the three KV documents for the greeting of `npm start`: which split is in force on each route. The
 * rules are the Worker's own (`src/config/`); here they are only put into words.
 */

import { splitInForce } from '../config/inforce.ts';
import { parseConfig } from '../config/parse.ts';
import { parseSplit, parseWeights } from '../config/split.ts';
import { err, ok, type Result } from '../result.ts';
import type { KeyValue } from './seed.ts';

export interface RouteSplit {
  route: string;
  /** The first path that the route matches. */
  path: string;
  baseline: string;
  /** Percent by variant; variants without weight are there with 0. */
  weights: Record<string, number>;
  /** Percent of the requests that each variant gets copies of. */
  shadows: Record<string, number>;
  /** Why it is this split and not the config's. */
  notes: string[];
}

/** The split of every route of the config, or what is wrong with the config, in one text. */
export async function readSplits(kv: KeyValue, configText: string): Promise<Result<RouteSplit[], string>> {
  const parsed = parseConfig(configText, { unknownKeys: 'warn' });
  if (!parsed.ok) return err(parsed.error.map(({ path, reason, mend }) => `${path}: ${reason}; ${mend}`).join('\n'));
  const splits: RouteSplit[] = [];
  for (const route of parsed.value.config.routes) {
    const weightsText = await kv.get(`weights:${route.name}`);
    const weights = weightsText === null ? ok(null) : parseWeights(weightsText, route);
    const splitText = await kv.get(`split:${route.name}`);
    const split = splitText === null ? ok(null) : parseSplit(splitText);
    const inForce = splitInForce({
      route,
      split: split.ok ? split.value : null,
      weights: weights.ok ? weights.value : null,
    });
    splits.push({
      route: route.name,
      path: route.match[0]?.path ?? '*',
      baseline: inForce.baseline,
      weights: inForce.weights,
      shadows: inForce.shadows,
      notes: [
        ...inForce.notes,
        ...(inForce.source === 'split' ? [`split ${inForce.revision}`] : []),
        ...(weights.ok ? [] : [`weights:${route.name} is not valid, so it is not served`]),
        ...(split.ok ? [] : [`split:${route.name} is not valid, so it is not served`]),
      ],
    });
  }
  return ok(splits);
}
