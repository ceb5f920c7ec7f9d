/**
 * Owns the demo's config with a shadow: all visitors stay with the baseline, every request also goes to the candidate. It says so
 * where a split in KV beats that.
 */

import type { RouteSplit } from '../splits.ts';

/** Variants that can be the shadow; the first is the usual one. */
export const CANDIDATES = ['green', 'third'];

interface DemoConfig {
  routes: { variants: Record<string, unknown>; baseline: string; [key: string]: unknown }[];
}

/** The text to seed, made of the plain demo's. */
export function withShadow(text: string, variant: string): string {
  const config = JSON.parse(text) as DemoConfig;
  for (const route of config.routes) {
    route.weights = { [route.baseline]: 100 };
    route.shadows = [
      {
        variant,
        percent: 100,
        repeat: 10,
        samples: true,
        scorer: { service: 'SCORER', percent: 100 },
        // A model names itself, and no two mean the same by confidence: neither says which answer is better.
        compare: { ignore: ['/model', '/confidence'] },
      },
    ];
  }
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** What is in the way of copies to the candidate, and how to mend it; null where nothing is. */
export function unmirrored(splits: readonly RouteSplit[], candidate: string): string | null {
  const bare = splits.find(({ shadows }) => (shadows[candidate] ?? 0) === 0);
  if (bare === undefined) return null;
  const { route, baseline } = bare;
  return `The split in force on route ${route} was set before and copies nothing to ${candidate}, so --shadow would show nothing.
Take another place for this run (npm start -- --shadow ${candidate} --state .wrangler/shadow), or run npm start and set it anew:
  npm run headgate -- weights ${route} ${baseline}=100 --shadow ${candidate}=100`;
}
