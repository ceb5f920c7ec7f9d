/** Owns `headgate sample-size`: how many units an experiment needs, reckoned here; with `--route` also how long that takes. */

import { type SizeAsked, type SizePlan, sizePlan } from '../../experiment/size.ts';
import { connect } from '../client.ts';
import { sizeAsked } from '../experiment/size.ts';
import { type Traffic, trafficOf } from '../experiment/traffic.ts';
import { figure, percent, signed, whole } from '../figures.ts';
import { grid } from '../grid.ts';
import { columnsOfScreen } from '../screen.ts';
import { usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { wrap } from '../text.ts';
import { verb } from '../verb.ts';

export const size = verb({
  summary: 'Say how many units an experiment on a conversion needs, and how long that takes; needs no Worker',
  args: {
    baseline: { type: 'string', required: true, description: 'The rate now: 0.10 is 10 %', valueHint: 'RATE' },
    lift: {
      type: 'string',
      required: true,
      description: 'The smallest relative change worth finding: 5% or 0.05',
      valueHint: 'LIFT',
    },
    power: { type: 'string', default: '0.8', description: 'How surely it is to be found', valueHint: 'SHARE' },
    ratio: { type: 'string', default: '1', description: 'The variant’s units over the baseline’s', valueHint: 'N' },
    'per-day': { type: 'string', description: 'Units a day', valueHint: 'N' },
    route: {
      type: 'string',
      description: 'Take the traffic that this route had, for the duration',
      valueHint: 'ROUTE',
    },
  },
  async run(args, terminal) {
    const { route, json } = args;
    if (route && args['per-day']) throw usage('--route and --per-day do not go together.', 'give one of them');
    const asked = askedOf(args);
    const traffic: Traffic | null = route ? await trafficOf(route, connect(args, terminal), terminal.now()) : null;
    const plan = sizePlan(traffic === null ? asked : { ...asked, perDay: traffic.perDay });
    if (json) terminal.out(JSON.stringify({ ...plan, ...(traffic !== null && { traffic }) }, null, 2));
    else terminal.out(planLines(plan, traffic, terminal).join('\n'));
    return 0;
  },
});

function askedOf(args: Record<'baseline' | 'lift' | 'power' | 'ratio', string> & { 'per-day'?: string }): SizeAsked {
  const asked = sizeAsked({ ...args, perDay: args['per-day'] });
  if (asked.ok) return asked.value;
  throw usage(`${asked.error}.`, 'such as headgate sample-size --baseline 0.10 --lift 5%');
}

function planLines(plan: SizePlan, traffic: Traffic | null, terminal: Terminal): string[] {
  const { baseline, variant, lift, power, unitsPerArm, plannedUnits } = plan;
  const columns = columnsOfScreen(terminal);
  const even = unitsPerArm.baseline === unitsPerArm.variant;
  const arms = even
    ? `${whole(unitsPerArm.baseline)} in each arm`
    : `${whole(unitsPerArm.baseline)} with the baseline, ${whole(unitsPerArm.variant)} with the variant`;
  const lines = [
    `To find ${apart(baseline, variant)} (lift ${signed(lift, percent)}) with ${figure(power * 100)} % power at 5 %:`,
    `  ${arms}, "plannedUnits": ${plannedUnits}`,
    ...(plan.days === null ? [] : durationLines(plan.days, plan, traffic)),
  ];
  return lines.flatMap((line) => wrap(line, columns, '    '));
}

/** Two rates as percent, with as many digits as tell them apart. */
function apart(from: number, to: number): string {
  const said = (rate: number, digits: number) => `${(100 * rate).toFixed(digits)} %`;
  let digits = 1;
  while (digits < 8 && said(from, digits) === said(to, digits)) digits++;
  return `${said(from, digits)} → ${said(to, digits)}`;
}

/** Whole weeks: people differ from weekday to weekday, and a test of ten days has two Mondays to one Saturday. */
function durationLines(days: number, { smallestLift }: SizePlan, traffic: Traffic | null): string[] {
  const source =
    traffic === null
      ? ''
      : ` at ${whole(Math.round(traffic.perDay))} ${traffic.counted} a day${traffic.counted === 'units' ? '' : ', as measured'}`;
  const rows = smallestLift.map(({ weeks, lift }) => [
    weeks === 1 ? '1 week' : `${weeks} weeks`,
    lift === null ? 'none' : signed(lift, percent),
  ]);
  return [
    `  ${whole(days / 7)} ${days === 7 ? 'week' : 'whole weeks'} (${whole(days)} days)${source}`,
    ...(traffic?.counted === 'requests'
      ? ['  ! No experiment has counted units here, and a unit sends several requests: it takes longer than this.']
      : []),
    '  The smallest lift that equal arms find in so long:',
    ...grid(rows, 'lr').map((line) => `  ${line}`),
  ];
}
