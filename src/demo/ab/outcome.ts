/** Owns what the demo's experiments have shown, and whether that is as told. Pure. */

import { pWords } from '../../cli/experiment/report.ts';
import { percent, signed, whole } from '../../cli/figures.ts';
import type { Report } from '../../experiment/report.ts';
import { type ActReport, differing, type Fact } from '../story/summary.ts';
import { METRIC, TESTS, type TestName } from './config.ts';
import type { Count } from './count.ts';

const ACTS: Record<TestName, string> = { ab: 'A/B', aa: 'A/A' };
const EXPECTED: Record<TestName, { state: string; claim: string }> = {
  ab: { state: 'better', claim: 'the better model is found better' },
  aa: { state: 'no difference found', claim: 'no difference is found where there is none' },
};

/** What both tests say, with what differs from the story. */
export function abReport(reports: Record<TestName, Report>, count: Count, decidedAt: number | null): ActReport {
  const parts = (['ab', 'aa'] as const).map((test) => ofTest(test, reports[test], count));
  const { visits, posted, unanswered } = count;
  const decided =
    decidedAt === null ? [] : [{ act: 'A/B', what: 'decided within', measured: `${whole(decidedAt)} units` }];
  const all = `${whole(visits)}, ${whole(posted)}`;
  return {
    facts: [
      ...parts[0]!.facts,
      ...decided,
      ...parts[1]!.facts,
      { act: 'in all', what: 'requests, outcomes by receipt', measured: all },
    ],
    differs: [
      ...parts.flatMap(({ differs }) => differs),
      ...differing([
        { claim: 'every request is answered', holds: unanswered === 0, seen: `${unanswered} were not` },
        { claim: 'every outcome is taken', holds: posted === visits - unanswered, seen: `${posted} of ${visits}` },
      ]),
    ],
  };
}

function ofTest(test: TestName, report: Report, count: Count): ActReport {
  const act = ACTS[test];
  const { baseline, variant } = TESTS[test];
  const metric = report.metrics.find(({ name }) => name === METRIC);
  if (metric === undefined) return { facts: [], differs: [`${act}: the report knows nothing of ${METRIC}`] };
  const { arms, difference, interval, p, state } = metric;
  const points = (value: number) => `${(value * 100).toFixed(1)} pp`;
  const range = `${signed(interval[0], points)} to ${signed(interval[1], points)}`;
  const facts: Fact[] = [
    {
      act,
      what: 'right answers',
      measured: `${baseline} ${percent(arms[baseline]!.mean)}, ${variant} ${percent(arms[variant]!.mean)}`,
    },
    { act, what: 'difference', measured: `${signed(difference, points)}, ${range}` },
    { act, what: 'found', measured: `${state}, p ${pWords(p)}` },
    { act, what: 'sizes of the arms', measured: `${sizes(report)}, p ${pWords(report.sampleRatio.p)}` },
  ];
  const expected = EXPECTED[test];
  const counted = [baseline, variant].map((name) => `${name} ${whole(count.arm(test, name).visitors)}`).join(', ');
  return {
    facts,
    differs: differing([
      { claim: `${act}: ${expected.claim}`, holds: state === expected.state, seen: state },
      { claim: `${act}: the arms have the sizes asked for`, holds: !report.sampleRatio.alarm, seen: sizes(report) },
      {
        claim: `${act}: the ledger counts the visitors exactly`,
        holds: [baseline, variant].every((name) => report.units[name] === count.arm(test, name).visitors),
        seen: `${sizes(report)} in the ledger, ${counted} came`,
      },
    ]),
  };
}

function sizes({ units }: Report): string {
  return Object.entries(units)
    .map(([name, n]) => `${name} ${whole(n)}`)
    .join(', ');
}
