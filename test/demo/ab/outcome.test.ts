import { describe, expect, it } from 'vitest';
import { Count } from '../../../src/demo/ab/count.ts';
import { abReport } from '../../../src/demo/ab/outcome.ts';
import type { Report } from '../../../src/experiment/report.ts';

type Metric = Report['metrics'][number];

function reportOf(arms: [string, string], state: string, changes: Partial<Report> = {}): Report {
  const [baseline, variant] = arms;
  const metric: Metric = {
    ...{ name: 'correct', role: 'primary', kind: 'conversion', goal: 'increase', variant, state, label: state },
    by: 'final',
    arms: { [baseline]: { n: 2, mean: 0.5, successes: 1 }, [variant]: { n: 2, mean: 1, successes: 2 } },
    ...{ difference: 0.5, lift: 1, interval: [0.1, 0.9], p: 0.01 },
  } as Metric;
  return {
    ...{ id: 'demo', sampleRatio: { p: 1, sequentialP: 1, alarm: false, since: null, stays: false }, plannedUnits: 4 },
    ...{ units: { [baseline]: 2, [variant]: 2 }, crossovers: 0, since: null, unitsPerDay: null, daysLeft: 0 },
    ...{ reachedAt: null, closesAt: null, closed: true, changed: [], metrics: [metric], segments: [], notes: [] },
    ...changes,
  };
}

function counted(): Count {
  const count = new Count();
  for (const variant of ['third', 'third', 'green', 'green'])
    count.add({ test: 'ab', variant, right: true, posted: true });
  for (const variant of ['one', 'one', 'two', 'two']) count.add({ test: 'aa', variant, right: false, posted: true });
  return count;
}

const good = {
  ab: reportOf(['third', 'green'], 'better'),
  aa: reportOf(['one', 'two'], 'no difference found'),
};

describe('how the demo’s experiments ended', () => {
  it('is as told when A/B finds the better model, A/A finds nothing, and the ledger agrees with the visitors', () => {
    const { facts, differs } = abReport(good, counted(), 1_100);
    expect(differs).toEqual([]);
    expect(facts).toContainEqual({ act: 'A/B', what: 'right answers', measured: 'third 50.0 %, green 100.0 %' });
    expect(facts).toContainEqual({ act: 'A/B', what: 'decided within', measured: '1,100 units' });
    expect(facts).toContainEqual({ act: 'A/A', what: 'found', measured: 'no difference found, p 0.01' });
  });

  it.each([
    ['A/B finds nothing', { ab: reportOf(['third', 'green'], 'no difference found') }, /A\/B: the better model/],
    ['A/A finds something', { aa: reportOf(['one', 'two'], 'worse') }, /A\/A: no difference is found .*: worse/],
    [
      'the arms are not as asked for',
      {
        aa: reportOf(['one', 'two'], 'no difference found', {
          sampleRatio: { p: 0, sequentialP: 0, alarm: true, since: null, stays: true },
        }),
      },
      /A\/A: the arms have the sizes asked for/,
    ],
    [
      'the ledger counts otherwise',
      { ab: reportOf(['third', 'green'], 'better', { units: { third: 2, green: 1 } }) },
      /A\/B: the ledger counts the visitors exactly: third 2, green 1 in the ledger, third 2, green 2 came/,
    ],
    ['the report lacks the metric', { ab: { ...good.ab, metrics: [] } }, /A\/B: the report knows nothing of correct/],
  ])('is not as told when %s', (_, reports, words) => {
    expect(abReport({ ...good, ...reports }, counted(), null).differs).toEqual([expect.stringMatching(words)]);
  });

  it('is not as told when a request is not answered, or an outcome not taken', () => {
    const count = counted();
    count.add({ test: 'ab', variant: null, right: null, posted: false });
    expect(abReport(good, count, null).differs).toEqual(['every request is answered: 1 were not']);
    const untaken = counted();
    untaken.add({ test: 'ab', variant: 'green', right: true, posted: false });
    expect(abReport(good, untaken, null).differs).toContain('every outcome is taken: 8 of 9');
  });
});
