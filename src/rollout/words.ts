/** Owns how verdicts, refusals and instants are said of a rollout. It decides nothing. */

import type { Judgement } from '../analysis/verdict.ts';
import { percent } from '../analysis/words.ts';
import { err } from '../result.ts';

/** A verdict in a few words, for the reason of a split: `errors 0.90 % vs 1.00 %, pass`. */
export function brief({ metric, candidate, baseline, verdict }: Judgement): string {
  const share = ({ n, bad }: { n: number; bad: number }) => (n > 0 ? percent(bad / n) : 'nothing');
  return `${metric} ${share(candidate)} vs ${share(baseline)}, ${verdict}`;
}

/** The instant as ISO 8601. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** A refusal: a word for programs, what is wrong, and what to do instead. */
export const refused = <const C extends string>(code: C, detail: string, mend: string) => err({ code, detail, mend });

/** Why nothing is moved while people's weights in KV decide. */
export const byHandDecides = (route: string) =>
  refused('manual', `weights set by hand decide (weights:${route})`, `end them first: headgate manual clear ${route}`);

/** Why a call that names a variant is refused; `names` are those there are. */
export const noVariant = (route: string, variant: string, names: readonly string[]) =>
  refused(
    'unknown_variant',
    `route ${route} has no variant "${variant.slice(0, 64)}"`,
    names.length === 0 ? 'put the route into the config' : `use one of ${names.join(', ')}`,
  );

/** Why a call that names a route is refused. */
export const noRoute = (route: string) =>
  refused('no_such_route', `The config has no route "${route.slice(0, 64)}".`, 'headgate status lists the routes');
