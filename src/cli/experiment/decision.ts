/** Owns what a report says about making a variant the winner: whether it speaks against it, and in which words. Pure. */

import { safe } from '../text.ts';
import type { Report } from './report.ts';

type Metric = Report['metrics'][number];

interface Decision {
  /** Why the winner should not win; empty when nothing speaks against it. */
  against: string[];
  /** What each primary metric says, for a person who is about to say yes. */
  lines: string[];
}

/**
 * The baseline wins where no variant is better; a variant where it is not worse, and is better itself wherever another one is. A
 * broken split speaks against everybody.
 */
export function decisionOn(winner: string, { metrics, sampleRatio }: Report): Decision {
  // Of the experiment: a winner that was promoted since is the route's.
  const baseline = metrics.flatMap(({ arms, variant }) => Object.keys(arms).filter((name) => name !== variant))[0]!;
  const primary = metrics.filter(({ role }) => role === 'primary');
  const isOwn = ({ variant }: Metric) => winner === baseline || variant === winner;
  const better = primary.filter(({ state }) => state === 'better');
  const ownBetter = better.filter(({ variant }) => variant === winner).map(({ name }) => name);
  const about = primary.filter((metric) => isOwn(metric) || better.includes(metric));
  const against = about.flatMap(({ name, variant, state }) => {
    if (variant === winner) return state === 'worse' ? [`${winner} is worse than ${baseline} in ${safe(name)}`] : [];
    if (state !== 'better' || ownBetter.includes(name)) return [];
    const others = winner === baseline ? '' : `, and ${winner} is not`;
    return [`${variant} is better than ${baseline} in ${safe(name)}${others}`];
  });
  const alarm = 'the arms do not have the sizes that were asked for, so no result can be trusted';
  return {
    against: sampleRatio.alarm ? [alarm, ...against] : against,
    lines: about.map(({ name, variant, label }) => `  ${safe(name)}: ${variant} against ${baseline}: ${safe(label)}`),
  };
}
