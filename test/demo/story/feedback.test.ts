import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Feedback } from '../../../src/demo/story/feedback.ts';
import { nobody, serve } from '../../cli/session.ts';

let headgate: Awaited<ReturnType<typeof serve>>;
let posted: { receipt: string; value: boolean }[][];

beforeAll(async () => {
  headgate = await serve(async (request) => {
    const outcomes = (await request.json()) as (typeof posted)[number];
    posted.push(outcomes);
    return Response.json({ counted: outcomes.filter(({ receipt }) => receipt !== 'forged').length });
  });
});
afterAll(() => headgate.close());
beforeEach(() => {
  posted = [];
});

describe('the feedback of the story', () => {
  it('posts what visitors say while it is asked for, and counts what was taken', async () => {
    const feedback = new Feedback(headgate.url);
    feedback.add('too-early', true);
    feedback.begin();
    feedback.add('r1', true);
    feedback.add('r2', false);
    feedback.add('forged', true);
    feedback.add(null, true);
    feedback.add('unanswered', null);
    await feedback.end();
    feedback.add('too-late', true);
    await feedback.end();
    expect(posted.flat()).toEqual([
      { route: 'detect', metric: 'correct', value: true, receipt: 'r1' },
      { route: 'detect', metric: 'correct', value: false, receipt: 'r2' },
      { route: 'detect', metric: 'correct', value: true, receipt: 'forged' },
    ]);
    expect(feedback).toMatchObject({ taken: 2, refused: 1 });
  });

  it('posts at most a hundred at once, and none twice', async () => {
    const feedback = new Feedback(headgate.url);
    feedback.begin();
    for (let i = 0; i < 230; i++) feedback.add(`r${i}`, true);
    await feedback.end();
    expect(posted.map((outcomes) => outcomes.length)).toEqual([100, 100, 30]);
    expect(new Set(posted.flat().map(({ receipt }) => receipt)).size).toBe(230);
  });

  it('goes on when Headgate is gone', async () => {
    const feedback = new Feedback(await nobody());
    feedback.begin();
    feedback.add('r', true);
    await feedback.end();
    expect(feedback).toMatchObject({ taken: 0, refused: 1 });
  });
});
