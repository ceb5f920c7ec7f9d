import { createColors } from 'picocolors';
import { describe, expect, it } from 'vitest';
import { differing, summaryLines } from '../../../src/demo/story/summary.ts';

const plain = (columns: number) => ({ columns, paint: createColors(false) });
const facts = [
  { act: '3 broken', what: 'time to stop', measured: '2.9 s' },
  { act: '3 broken', what: 'visitors it touched, harmed', measured: '17, 15 of 500' },
  { act: '4 switch', what: 'failed requests', measured: '0 of 1,220' },
];

describe('the summary of the story', () => {
  it('is a table that names each act once', () => {
    expect(summaryLines({ facts, differs: [] }, plain(80))).toEqual([
      'Summary',
      '  act       what was shown               measured',
      '  3 broken  time to stop                 2.9 s',
      '            visitors it touched, harmed  17, 15 of 500',
      '  4 switch  failed requests              0 of 1,220',
      '',
      'The story went as told.',
    ]);
  });

  it('becomes a list where the terminal is too narrow for the table', () => {
    const lines = summaryLines({ facts, differs: [] }, plain(36));
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(36);
    expect(lines.slice(0, 4)).toEqual([
      'Summary',
      '  3 broken, time to stop: 2.9 s',
      '  3 broken, visitors it touched,',
      '    harmed: 17, 15 of 500',
    ]);
  });

  it('says what differed', () => {
    const differs = differing([
      { claim: 'all traffic is back', holds: true, seen: 'green 100 %' },
      { claim: 'no request fails in the switch', holds: false, seen: '2 of 350 failed' },
    ]);
    expect(summaryLines({ facts, differs }, plain(80)).slice(-2)).toEqual([
      'The story did not go as told:',
      '  - no request fails in the switch: 2 of 350 failed',
    ]);
  });
});
