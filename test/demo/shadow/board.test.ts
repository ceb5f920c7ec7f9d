import { describe, expect, it } from 'vitest';
import { ShadowBoard } from '../../../src/demo/shadow/board.ts';
import { endLines, liveLines } from '../../../src/demo/shadow/show.ts';

const who = { baseline: 'blue', candidate: 'green' };
const catalan = { text: 'Tots els éssers humans', language: 'cat' };
const german = { text: 'Alle Menschen', language: 'deu' };

type Row = Parameters<ShadowBoard['record']>[0];

/** A board with one request for each row, of the given text. */
function boardOf(rows: [text: typeof catalan, row: Partial<Row>][]): ShadowBoard {
  const board = new ShadowBoard();
  rows.forEach(([text, row], i) => {
    board.sent(`r-${i}`, text);
    board.record({ requestId: `r-${i}`, role: 'candidate', class: 'match', ...row });
  });
  return board;
}

describe('the board of the demo’s shadow', () => {
  it('counts pairs by the true language, and leaves repeats, skips and strangers out', () => {
    const board = boardOf([
      [catalan, { class: 'body-mismatch' }],
      [catalan, {}],
      [german, {}],
      [german, { role: 'repeat', class: 'body-mismatch' }],
      [german, { class: 'skipped' }],
      [german, { requestId: 'of somebody else', class: 'body-mismatch' }],
    ]);
    expect(board).toMatchObject({ pairs: 3, skipped: 1, classes: { match: 2, 'body-mismatch': 1 } });
    expect(board.languages()).toMatchObject([{ language: 'cat', pairs: 2, differ: 1 }]);
  });

  it('counts a record once, however often it is read', () => {
    const board = boardOf([[german, {}]]);
    board.record({ requestId: 'r-0', role: 'candidate', class: 'match' });
    expect(board.pairs).toBe(1);
  });

  it('says who was right as often as a text differed, once both answers are known', () => {
    const board = boardOf([
      [catalan, { class: 'body-mismatch' }],
      [catalan, { class: 'body-mismatch' }],
      [german, { class: 'body-mismatch' }],
    ]);
    board.answered(catalan.text, { baseline: 'spa', candidate: 'cat' });
    board.answered(german.text, { baseline: 'nld', candidate: null });
    expect(board.languages()).toEqual([
      { language: 'cat', pairs: 2, differ: 2, baselineRight: 0, candidateRight: 2, neitherRight: 0 },
      { language: 'deu', pairs: 1, differ: 1, baselineRight: 0, candidateRight: 0, neitherRight: 1 },
    ]);
  });

  it('takes the difference of times pair by pair', () => {
    const board = boardOf([
      [german, { liveTotalMs: 1, candidateTotalMs: 9 }],
      [german, { liveTotalMs: 10, candidateTotalMs: 11 }],
      [german, { liveTotalMs: 20, candidateTotalMs: 18 }],
      [german, { class: 'timeout', liveTotalMs: 5 }],
    ]);
    expect(board.times(0.5)).toEqual({ baseline: 10, candidate: 11, slower: 1 });
    expect(new ShadowBoard().times(0.5)).toBeNull();
  });
});

describe('the view of the demo’s shadow', () => {
  const board = boardOf([
    [catalan, { class: 'body-mismatch', liveTotalMs: 1, candidateTotalMs: 3 }],
    [german, { liveTotalMs: 1, candidateTotalMs: 3 }],
  ]);
  board.answered(catalan.text, { baseline: 'und', candidate: 'cat' });
  const mean = (value: number) => ({ n: 2, mean: value, standardError: 0.1 });
  const scores = {
    live: mean(0.5),
    candidate: mean(1),
    difference: mean(0.5),
    interval: [0.3, 0.7] as [number, number],
  };

  it('shows shares, times, languages by name and what the scorer says', () => {
    const text = liveLines(board, who, scores).join('\n');
    expect(text).toMatch(/2 pairs +alike █{12}░{12} 50\.0 %, body-mismatch 1/);
    expect(text).toMatch(/difference +\+2\.0 +\+2\.0 +pair by pair; \+ is green slower/);
    expect(text).toMatch(/Catalan +1 +1 +100\.0 % +0 +1 +0/);
    expect(text).toContain(
      'right by the scorer: blue 50.0 %, green 100.0 %\n  that is +50.0 points, 95 % interval +30.0 to +70.0, of 2 pairs',
    );
  });

  it('ends with real texts and who was right', () => {
    expect(endLines(board, who).join('\n')).toContain(
      '“Tots els éssers humans”\n    Catalan: blue says no language, green says Catalan ✓',
    );
  });

  it('says so when there is nothing to show', () => {
    expect(liveLines(new ShadowBoard(), who, null)).toEqual(['  no pair yet of blue and green']);
    expect(endLines(boardOf([[german, {}]]), who)).toEqual(['  The two never disagreed.']);
  });
});
