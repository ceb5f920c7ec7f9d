/**
 * Owns how an experiment's report reads on a terminal: the alarm of the sample ratio before all else, then units, days, and each
 * metric with both arms and its interval. Pure: it makes lines and prints none.
 */

import type { Report } from '../../experiment/report.ts';
import { figure, ms, percent, signed, whole } from '../figures.ts';
import { grid } from '../grid.ts';
import type { RouteStatus } from '../route.ts';
import { columnsOfScreen, joined, noteLines, type Screen } from '../screen.ts';
import { safe, widthOf, wrap } from '../text.ts';
import { differenceWords } from './differences.ts';
import { intervalBar, isNone } from './interval.ts';
import { segmentLines } from './segments.ts';

export type { Report };

type Metric = Report['metrics'][number];
type Arm = Metric['arms'][string];
type InForce = RouteStatus['inForce'];

const BAR_WIDTH = 31;
/** An hour. */
const MIN_DAYS = 1 / 24;

/** The whole report. `inForce` is what the route's traffic goes by, where that is known. */
export function reportLines(route: string, report: Report, screen: Screen, inForce?: InForce): string[] {
  return joined([
    headLines(route, report, screen),
    ratioLines(report, idleWords(route, report, inForce), screen),
    ...report.metrics.map((metric) => metricLines(metric, screen)),
    ...(report.segments ?? []).map((segment) => segmentLines(segment, report, screen)),
    noteLines(report.notes, screen),
  ]);
}

function headLines(route: string, { id, since }: Report, screen: Screen): string[] {
  const begun = since === null ? 'nobody has been counted yet' : `since ${since.slice(0, 16).replace('T', ' ')} UTC`;
  const [first = '', ...others] = wrap(`${route}: experiment ${safe(id)}, ${begun}`, columnsOfScreen(screen), '  ');
  return [screen.paint.bold(first), ...others];
}

/** Why nobody, or nobody new, is dealt to an arm; null where nothing is known to be in the way. */
function idleWords(route: string, report: Report, inForce: InForce | undefined): string | null {
  const isBegun = unitsOf(report) > 0;
  if (inForce !== undefined && !report.closed) {
    const nobody = isBegun ? 'nobody new is counted' : 'nobody is counted';
    if (inForce.experiment === null) return `a rollout runs in a step without the experiment, so ${nobody}`;
    const [all] = Object.entries(inForce.weights).find(([, weight]) => weight === 100) ?? [];
    const mend = inForce.source === 'weights' ? `manual clear ${route}` : `weights ${route} …`;
    if (all !== undefined) return `${all} has all the weight, so ${nobody}${isBegun ? '' : `: headgate ${mend}`}`;
  }
  return isBegun ? null : 'no unit has come yet, so there are no arms to measure';
}

/** Arms of other sizes than asked for were not dealt at random, and then no number below means what it says. */
function ratioLines(report: Report, idle: string | null, screen: Screen): string[] {
  const { sampleRatio, units, plannedUnits, daysLeft, crossovers } = report;
  const { red, bold } = screen.paint;
  const columns = columnsOfScreen(screen);
  const total = unitsOf(report);
  const arms = Object.entries(units).map(([name, n]) => `${name} ${whole(n)}`);
  const p = `p ${pWords(sampleRatio.p)}, sequential ${pWords(sampleRatio.sequentialP)}`;
  const ratio = sampleRatio.alarm
    ? wrap(`  ✗ SAMPLE RATIO ALARM (${p}): do not read what follows as a result`, columns, '    ').map((line) =>
        bold(red(line)),
      )
    : total === 0
      ? []
      : wrap(`  ✔ the arms have the sizes that were asked for (${p})`, columns, '    ');
  const left =
    daysLeft === 0
      ? `: reached${closedWords(report)}`
      : daysLeft === null || isTooEarly(report)
        ? ''
        : `, ${daysWords(daysLeft)} left`;
  const size = `${whole(total)} of ${whole(plannedUnits)} planned units (${percent(total / plannedUnits)})${left}`;
  const crossed =
    crossovers > 0 ? [`${whole(crossovers)} requests met the other arm, and count for the unit's first`] : [];
  return [
    ...ratio,
    ...(idle === null ? [] : wrap(`  … ${idle}`, columns, '    ')),
    ...[`${arms.join(', ')} units`, size, ...crossed].flatMap((line) => wrap(`  ${line}`, columns, '    ')),
  ];
}

/** The units of all arms. */
export function unitsOf({ units }: Report): number {
  return Object.values(units).reduce((sum, n) => sum + n, 0);
}

/** The time to the minute, as in a note of the report. */
function closedWords({ closed, closesAt }: Report): string {
  return closed && closesAt !== null ? `, closed ${closesAt.slice(0, 16).replace('T', ' ')} UTC` : '';
}

/** Whether the units came in too short a time to say how many come in a day. */
export function isTooEarly(report: Report): boolean {
  const { unitsPerDay } = report;
  return unitsPerDay === null || unitsOf(report) / unitsPerDay < MIN_DAYS;
}

function metricLines(metric: Metric, screen: Screen): string[] {
  const { name, role, kind, goal, variant, arms, difference, lift, interval, p, label, by } = metric;
  const { bold, dim, green, red } = screen.paint;
  const columns = columnsOfScreen(screen);
  const paint = metric.state === 'better' ? green : metric.state === 'worse' ? red : (text: string) => text;
  const wanted = `${role}, ${goal === 'increase' ? 'more' : 'less'} is better`;
  const rows = Object.entries(arms).map(([arm, one]) => armRow(arm, one, kind));
  const units = (value: number) => differenceWords(value, kind);
  const told = `  difference ${signed(difference, units)}, lift ${signed(lift, percent)}, p ${pWords(p)}`;
  const range = `${signed(interval[0], units)} to ${signed(interval[1], units)}`;
  const title = `  ${bold(safe(name))}, ${safe(variant)} ${dim(`(${wanted})`)}`;
  const test = by === null ? '' : ` (${by === 'early' ? 'early stop' : 'test at the planned size'})`;
  const beside = [...quantileRows(arms), ...beliefRows(metric, units)];
  // Against an arm that nobody has met there is no difference yet.
  const found = Object.values(arms).some(({ n }) => n === 0)
    ? []
    : [
        ...wrap(`  ${told}`, columns, '      '),
        ...(isNone(interval)
          ? ['    no interval: each unit of an arm did the same']
          : barLines(intervalBar(interval, difference, BAR_WIDTH), range, columns)),
      ];
  return [
    title,
    ...grid(rows, 'lrrl').map((line) => `  ${line}`),
    ...found,
    ...wrap(`    ${marks(metric.state)} ${safe(label)}${test}`, columns, '      ').map(paint),
    ...beside.flatMap((line) => wrap(`    ${line}`, columns, '      ')).map(dim),
  ];
}

/** Half of the units, and 19 of 20, are below: `p95 blue 120 ms (110 to 131), green …`. */
function quantileRows(arms: Metric['arms']): string[] {
  const shown = Object.values(arms)[0]?.quantiles ?? [];
  return shown.flatMap(({ q }) => {
    const found = Object.entries(arms).map(([arm, { quantiles }]) => {
      const one = quantiles?.find((other) => other.q === q);
      return one && `${safe(arm)} ${ms(one.value)} ms (${ms(one.lo)} to ${ms(one.hi)})`;
    });
    return found.includes(undefined) ? [] : [`p${q * 100} of the units: ${found.join(', ')}`];
  });
}

/** A way to see the numbers, and no verdict: the line says so. */
function beliefRows({ arms }: Metric, units: (value: number) => string): string[] {
  const found = Object.entries(arms);
  if (found.some(([, { pBest }]) => pBest === undefined)) return [];
  const chances = found.map(([arm, { pBest }]) => `${safe(arm)} ${percent(pBest!)}`);
  const losses = found.map(([arm, { expectedLoss = 0 }]) => `${safe(arm)} ${units(expectedLoss)}`);
  return [`chance to be best, no verdict: ${chances.join(', ')}`, `expected loss, if chosen: ${losses.join(', ')}`];
}

function barLines(bar: string, range: string, columns: number): string[] {
  const one = `    ${bar}  ${range}`;
  return widthOf(one) <= columns ? [one] : [`    ${bar}`, `    ${range}`];
}

function armRow(name: string, { n, mean, successes, sum }: Arm, kind: Metric['kind']): string[] {
  const counted = kind === 'conversion' ? `${whole(successes ?? 0)} of` : `sum ${figure(sum)}, `;
  const shown = n === 0 ? '–' : kind === 'conversion' ? percent(mean) : figure(mean);
  return [name, counted, `${whole(n)} units`, shown];
}

/** What was found, in a mark of its own so that nothing depends on colour. */
function marks(state: string): string {
  return state === 'better' ? '✔' : state === 'worse' ? '✗' : state === 'no difference found' ? '=' : '…';
}

/** No p is zero, and none is known to more than two digits. */
export function pWords(p: number): string {
  if (p < 0.0001) return '< 0.0001';
  return p >= 0.995 ? '1' : String(Number(p.toPrecision(2)));
}

function daysWords(days: number): string {
  if (days < 1) return 'less than a day';
  const rounded = days < 10 ? Math.round(days * 10) / 10 : Math.ceil(days);
  return rounded === 1 ? '1 day' : `${whole(rounded)} days`;
}
