import { stripVTControlCharacters } from 'node:util';
import { createColors } from 'picocolors';
import { beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../../../src/demo/story/ledger.ts';
import { Teller } from '../../../src/demo/story/teller.ts';
import { population } from '../../../src/demo/visitors.ts';

let said: string[];
let nowMs: number;
beforeEach(() => {
  said = [];
  nowMs = 50_000;
});

function teller(columns = Number.POSITIVE_INFINITY, colour = false): Teller {
  const screen = { columns, paint: createColors(colour) };
  return new Teller({ screen, out: (text) => said.push(text), now: () => nowMs });
}

const aborted = {
  at: '2026-11-24T10:00:00Z',
  actor: 'controller',
  action: 'aborted',
  reason: 'errors: candidate 9 bad of 20: fail',
  after: { weights: { green: 100, broken: 0 }, shadows: {} },
  evidence: ['errors: candidate 9 bad of 20: fail', 'rejected: candidate 0 bad of 0; nothing to judge yet'],
};

describe('the telling of the story', () => {
  it('counts time from the beginning of an act', () => {
    const story = teller();
    story.act('1. Shadow', 'Nobody sees it.');
    nowMs += 12_340;
    story.moment('something');
    expect(said).toEqual(['', '1. Shadow', 'Nobody sees it.', '', ' 12.3 s  something']);
  });

  it('tells what the history says, with the verdicts, and says a reason once', () => {
    teller().history(aborted);
    expect(said).toEqual(['  0.0 s  aborted: green 100 %', '         errors: candidate 9 bad of 20: fail']);
  });

  it('tells the reason where no verdict is it', () => {
    teller().history({ ...aborted, action: 'paused', reason: 'weights set by hand' });
    expect(said[1]).toBe('         weights set by hand');
  });

  it('says a step by its number, and why it was reached by the verdicts alone', () => {
    const after = { weights: { blue: 75, green: 25 }, shadows: {}, step: 2, steps: 4 };
    const evidence = ['errors: candidate 0 bad of 60: pass'];
    teller().history({ ...aborted, action: 'advanced', reason: 'step 2 of 4: errors 0.00 %, pass', after, evidence });
    expect(said).toEqual([
      '  0.0 s  advanced to step 2 of 4: blue 75 %, green 25 %',
      '         errors: candidate 0 bad of 60: pass',
    ]);
  });

  it('names the copies of a shadow', () => {
    const after = { weights: { blue: 100 }, shadows: { green: 100 } };
    teller().history({ ...aborted, action: 'started', after, evidence: [] });
    expect(said[0]).toBe('  0.0 s  started: blue 100 %; copies: green 100 %');
  });

  it('shows who answers now, and when nobody does', () => {
    const ledger = new Ledger();
    const [visitor] = population({ browsers: 1, clients: 0 });
    for (const variant of ['blue', 'blue', 'blue', 'green']) {
      ledger.add({ variant, visitor: visitor!, sentAtMs: 49_000, failed: false, ms: 1 });
    }
    teller().live(ledger, 48_000);
    teller().live(ledger, 49_500);
    expect(said).toEqual([
      '  0.0 s  live: blue ████████░░ 75.0 %   green ███░░░░░░░ 25.0 %',
      '  0.0 s  live: no answer',
    ]);
  });

  it('breaks lines where a narrow terminal ends', () => {
    const story = teller(40);
    story.act(
      '3. A broken release: stopped before most people meet it',
      'blue answers every visitor; a copy of each request also goes to green.',
    );
    story.history({
      ...aborted,
      evidence: ['slow: candidate 15 bad of 15 unit checks (100.00 %), allowed 15.00 pp: fail'],
    });
    for (const line of said) expect(line.length).toBeLessThanOrEqual(40);
  });

  it('uses colour only where it is wanted, and never for what words do not say', () => {
    teller(80, true).history(aborted);
    const plain = said.map((line) => stripVTControlCharacters(line));
    expect(plain).not.toEqual(said);
    said = [];
    teller(80).history(aborted);
    expect(said).toEqual(plain);
  });
});
