import { describe, expect, it } from 'vitest';
import type { MetricReport, Report } from '../../src/experiment/report.ts';
import { stepVerdict } from '../../src/experiment/verdict.ts';

const metric: MetricReport = {
  name: 'helpful',
  role: 'primary',
  kind: 'conversion',
  goal: 'increase',
  variant: 'green',
  state: 'better',
  label: 'better',
  by: 'final',
  arms: {},
  difference: 0.021,
  lift: 0.2,
  interval: [0.009, 0.033],
  p: 0.002,
};

function reportWith(changes: Partial<Report> = {}, ...metrics: Partial<MetricReport>[]): Report {
  return {
    id: 'e-1',
    sampleRatio: { p: 0.8, sequentialP: 1, alarm: false, since: null, stays: false },
    plannedUnits: 14_751,
    units: { blue: 7_402, green: 7_349 },
    crossovers: 0,
    since: null,
    unitsPerDay: null,
    daysLeft: 0,
    reachedAt: '2026-11-23T10:00:00.000Z',
    closesAt: '2026-11-24T10:00:00.000Z',
    closed: true,
    changed: [],
    metrics: (metrics.length === 0 ? [{}] : metrics).map((one) => ({ ...metric, ...one })),
    segments: [],
    notes: [],
    ...changes,
  };
}

const running = { state: 'keep running: 28 %', label: 'keep running: 28 %', by: null };

describe('a step that carries an experiment', () => {
  it('waits for the planned units, and says how many there are', () => {
    const report = reportWith({ closed: false, closesAt: null, units: { blue: 2_100, green: 2_110 } }, running);
    expect(stepVerdict(report, 'green')).toEqual({
      verdict: 'wait',
      sentence: 'experiment e-1: 4,210 of 14,751 units',
    });
  });

  it('waits for the planned units also where an early test has found the candidate better', () => {
    const report = reportWith({ closed: false, closesAt: null }, { state: 'better', by: 'early' });
    expect(stepVerdict(report, 'green').verdict).toBe('wait');
  });

  it('waits for late outcomes, and says until when', () => {
    expect(stepVerdict(reportWith({ closed: false }, running), 'green')).toEqual({
      verdict: 'wait',
      sentence: 'experiment e-1: 14,751 of 14,751 units; late outcomes count until 2026-11-24 10:00 UTC',
    });
  });

  it.each([
    ['better', 'helpful better, 2.10 pp'],
    ['no difference found', 'helpful no difference found, 2.10 pp'],
  ])('goes on when its figures are closed and say %s', (state, said) => {
    expect(stepVerdict(reportWith({}, { state, label: state }), 'green')).toEqual({
      verdict: 'go',
      sentence: `experiment e-1: ${said}; 14,751 of 14,751 units`,
    });
  });

  it.each([
    ['early', false],
    ['final', true],
  ] as const)('stops when any primary metric is worse, by the %s test', (by, closed) => {
    const worse = { name: 'spend', kind: 'mean', state: 'worse', label: 'worse', by, difference: -1.2345 } as const;
    const { verdict, sentence } = stepVerdict(reportWith({ closed }, {}, worse), 'green');
    expect(verdict).toBe('stop');
    expect(sentence).toContain('spend worse, -1.23');
  });

  it('never goes on with arms that do not hold their shares, whatever the metrics say', () => {
    for (const closed of [true, false]) {
      const report = reportWith({
        closed,
        sampleRatio: { p: 1e-6, sequentialP: 1e-5, alarm: true, since: null, stays: true },
      });
      expect(stepVerdict(report, 'green')).toMatchObject({
        verdict: 'stop',
        sentence: expect.stringContaining('do not hold their shares'),
      });
    }
  });

  it('waits while arms that do not hold their shares may only be answers on their way', () => {
    const report = reportWith({
      closed: true,
      sampleRatio: { p: 1e-6, sequentialP: 1e-5, alarm: true, since: null, stays: false },
    });
    expect(stepVerdict(report, 'green').verdict).toBe('wait');
  });

  it('is not judged by the units of an earlier version under the same id', () => {
    expect(stepVerdict(reportWith({ changed: ['green'] }), 'green')).toMatchObject({
      verdict: 'stop',
      sentence: expect.stringContaining('green has changed since it began'),
    });
    expect(stepVerdict(reportWith({ changed: ['blue'] }), 'green').verdict).toBe('go');
  });

  it('asks for a person where the numbers are too few to judge by, since no data is no pass', () => {
    const few = 'no difference found: fewer than 25 successes or failures in an arm';
    const report = reportWith({}, { state: 'no difference found', label: few, by: null });
    expect(stepVerdict(report, 'green')).toEqual({
      verdict: 'stop',
      sentence: `experiment e-1: helpful ${few}, 2.10 pp; 14,751 of 14,751 units`,
    });
  });

  it('says what to do where its figures closed before anybody met the candidate', () => {
    expect(stepVerdict(reportWith({}, { variant: 'red' }), 'green')).toEqual({
      verdict: 'stop',
      sentence: 'experiment e-1: closed without green, so give it another id; 14,751 of 14,751 units',
    });
  });

  it('is decided by the primary metrics of its candidate alone', () => {
    const others = [
      { role: 'secondary', state: 'worse' },
      { variant: 'red', state: 'worse' },
    ] as const;
    expect(stepVerdict(reportWith({}, {}, ...others), 'green').verdict).toBe('go');
    expect(stepVerdict(reportWith({}, ...others), 'green').verdict).toBe('stop');
  });
});
