/**
 * Owns the README's table of speed, made from a report of `npm run bench`. Pure. It shows ratios alone: microseconds of one
 * machine say nothing about another. It judges nothing.
 */

import type { Spread } from '../bench/ratios.ts';
import type { Report } from '../bench/report.ts';

const times = (ratio: number) => `${ratio.toFixed(2)}×`;
const withSpread = ({ median, q1, q3 }: Spread) => `${times(median)} (${q1.toFixed(2)} to ${q3.toFixed(2)})`;

/** The table as Markdown, with what has to be known to read it. */
export function benchTable({ at, quick, workerd, cores, lines, groups, additions }: Report): string {
  const rateOf = new Map(groups.map(({ group, perSecond }) => [group, perSecond]));
  const rows = lines.map(({ name, group, closed, open }) => {
    const rate = `${group}, ${rateOf.get(group)}/s`;
    const { p50Ms, p99Ms } = open.ratios;
    return `| ${[name, rate, withSpread(closed.ratios.cpuUs), withSpread(p50Ms), withSpread(p99Ms)].join(' | ')} |`;
  });
  const measured = `Measured ${at.slice(0, 10)} on workerd ${workerd}, ${cores} cores that also bore load and origin${quick ? ' (a quick run)' : ''}.`;
  return [
    '| scenario | requests | CPU a request | p50 | p99 |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    '| one more thing, against the splitter without it | CPU a request |',
    '|---|---|',
    ...additions.map(({ name, cpu }) => `| ${name} | ${withSpread(cpu)} |`),
    '',
    measured,
  ].join('\n');
}
