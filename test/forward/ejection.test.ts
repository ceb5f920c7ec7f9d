import { describe, expect, it } from 'vitest';
import type { Variant } from '../../src/config/types.ts';
import { EJECTION_MS, Ejections, FAILURES_TO_EJECT } from '../../src/forward/ejection.ts';

const START = 1_000_000;
/** How long the route waits for headers. */
const TIMEOUT_MS = 120_000;
/** Two variants as a config has them; only which is which matters. */
const [green, red] = [{} as Variant, {} as Variant];

/** Ejections of one candidate under a clock that the test moves. */
class Candidate {
  ejections = new Ejections();
  nowMs = START;
  admits = () => this.ejections.admits(green, this.nowMs, TIMEOUT_MS);
  succeeds = () => this.ejections.succeeded(green, this.nowMs);
  fails(times = 1, askedAtMs = this.nowMs) {
    for (let n = 0; n < times; n++) this.ejections.failed(green, this.nowMs, askedAtMs);
  }
  /** Lets time pass until the ejection is over, and sends the probe; says how long it took. */
  probe(): number {
    const startMs = this.nowMs;
    while (!this.admits()) this.nowMs += 1_000;
    return this.nowMs - startMs;
  }
}

describe('ejection', () => {
  it('keeps a candidate that failed four times in a row', () => {
    const candidate = new Candidate();
    candidate.fails(FAILURES_TO_EJECT - 1);
    expect(candidate.admits()).toBe(true);
  });

  it('ejects a candidate at its fifth failure in a row, for 30 s', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    expect(candidate.admits()).toBe(false);
    candidate.nowMs = START + 29_999;
    expect(candidate.admits()).toBe(false);
    candidate.nowMs = START + 30_000;
    expect(candidate.admits()).toBe(true);
  });

  it('counts only failures in a row', () => {
    const candidate = new Candidate();
    for (let round = 0; round < 10; round++) {
      candidate.fails(4);
      candidate.succeeds();
    }
    expect(candidate.admits()).toBe(true);
  });

  it('sends exactly one probe when the ejection is over', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    expect(candidate.admits()).toBe(false);
    candidate.nowMs += 1_000;
    expect(candidate.admits()).toBe(false);
  });

  it('takes a candidate back when its probe succeeds', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    candidate.succeeds();
    expect([candidate.admits(), candidate.admits()]).toEqual([true, true]);
    candidate.fails(4);
    expect(candidate.admits()).toBe(true);
  });

  it('ejects 30 s longer each time a probe fails', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    for (const times of [1, 2, 3, 4]) {
      expect(candidate.probe()).toBe(times * EJECTION_MS);
      candidate.fails();
      expect(candidate.admits()).toBe(false);
    }
  });

  it('does not lengthen an ejection for requests that were under way when it began', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.nowMs += 10_000;
    candidate.fails(20);
    expect(candidate.probe()).toBe(EJECTION_MS - 10_000);
  });

  it('takes no failure for that of the probe which was asked before the ejection, however late it comes', () => {
    const candidate = new Candidate();
    candidate.fails(FAILURES_TO_EJECT);
    candidate.nowMs = START + EJECTION_MS + 5_000;
    candidate.fails(1, START - 1_000);
    expect(candidate.admits()).toBe(true);
  });

  it('does not end an ejection for a late success of a request that was under way', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.nowMs += 1_000;
    candidate.succeeds();
    expect(candidate.admits()).toBe(false);
  });

  it('sends another probe when the first one never came back', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    // Until its time limit it may still be waited for.
    candidate.nowMs += TIMEOUT_MS + 59_999;
    expect(candidate.admits()).toBe(false);
    candidate.nowMs += 1;
    expect([candidate.admits(), candidate.admits()]).toEqual([true, false]);
  });

  it('forgets earlier ejections of a candidate that was well for ten minutes', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    candidate.succeeds();
    candidate.nowMs += 600_001;
    candidate.fails(5);
    expect(candidate.probe()).toBe(EJECTION_MS);
  });

  it('remembers an ejection when a candidate fails again soon after', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    candidate.succeeds();
    candidate.nowMs += 1_000;
    candidate.fails(5);
    expect(candidate.probe()).toBe(2 * EJECTION_MS);
  });

  it('keeps variants apart, and those of an earlier config', () => {
    const ejections = new Ejections();
    for (let n = 0; n < 5; n++) ejections.failed(green, START, START);
    expect(ejections.admits(green, START, TIMEOUT_MS)).toBe(false);
    expect(ejections.admits(red, START, TIMEOUT_MS)).toBe(true);
  });

  it('sends another probe when the client of the first has left', () => {
    const candidate = new Candidate();
    candidate.fails(5);
    candidate.probe();
    expect(candidate.admits()).toBe(false);
    candidate.ejections.inconclusive(green, START);
    expect(candidate.admits()).toBe(false);
    candidate.ejections.inconclusive(green, candidate.nowMs);
    expect([candidate.admits(), candidate.admits()]).toEqual([true, false]);
  });

  it('knows a baseline that fails just now, until it is well or was not asked for ten seconds', () => {
    const ejections = new Ejections();
    expect(ejections.isSick(green, START)).toBe(false);
    ejections.noteBaseline(green, { isWell: false, nowMs: START });
    expect([START, START + 9_999, START + 10_000].map((nowMs) => ejections.isSick(green, nowMs))).toEqual([
      true,
      true,
      false,
    ]);
    ejections.noteBaseline(green, { isWell: true, nowMs: START + 1 });
    expect(ejections.isSick(green, START + 2)).toBe(false);
  });

  it('takes back what the baseline shared, and no ejection that others have earned', () => {
    const burst = new Ejections();
    for (let n = 0; n < 8; n++) burst.failed(green, START, START - 1);
    expect(burst.admits(green, START, TIMEOUT_MS)).toBe(false);
    for (let n = 0; n < 3; n++) burst.takeBack(green);
    expect(burst.admits(green, START, TIMEOUT_MS)).toBe(false);
    burst.takeBack(green);
    expect(burst.admits(green, START, TIMEOUT_MS)).toBe(true);
    for (let n = 0; n < 9; n++) burst.takeBack(green);
    for (let n = 0; n < 5; n++) burst.failed(green, START, START);
    expect(burst.admits(green, START, TIMEOUT_MS)).toBe(false);
  });

  it('works with a clock that begins at zero', () => {
    const ejections = new Ejections();
    for (let n = 0; n < 5; n++) ejections.failed(green, 0, 0);
    expect(ejections.admits(green, 29_999, TIMEOUT_MS)).toBe(false);
    expect(ejections.admits(green, 30_000, TIMEOUT_MS)).toBe(true);
  });
});
