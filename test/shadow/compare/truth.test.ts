import { describe, expect, it } from 'vitest';
import { compareReplies } from '../../../src/shadow/compare/compare.ts';
import {
  addBatch,
  countPair,
  type FieldVerdict,
  fieldVerdicts,
  startBatch,
  startNoise,
} from '../../../src/shadow/compare/noise.ts';
import type { CompareOptions } from '../../../src/shadow/compare/presets.ts';
import type { Observation } from '../../../src/shadow/observation.ts';
import { json, seeded, stream, transcript } from './observed.ts';

type Model = (request: number, random: () => number) => Observation;

/** Sends pairs through the whole engine as the evidence plane does: every request shadowed, one in ten repeated. */
async function shadowed(
  models: { live: Model; candidate: Model },
  options: CompareOptions,
  candidatePairs: number,
): Promise<{ fields: FieldVerdict[]; classes: Record<string, number>; pairs: number }> {
  const random = seeded(20261124);
  const classes: Record<string, number> = {};
  let state = startNoise();
  let pairs = 0;
  for (let request = 0; request < candidatePairs; request++) {
    const batch = startBatch();
    const live = models.live(request, random);
    const result = await compareReplies(live, models.candidate(request, random), { options, role: 'candidate' });
    classes[result.class] = (classes[result.class] ?? 0) + 1;
    countPair(batch, 'candidate', result.fields);
    pairs++;
    if (request % 10 === 0) {
      const repeat = await compareReplies(live, models.live(request, random), { options, role: 'repeat' });
      countPair(batch, 'repeat', repeat.fields);
      pairs++;
    }
    state = addBatch(state, batch);
  }
  return { fields: fieldVerdicts(state), classes, pairs };
}

function answer(request: number, random: () => number, label = `label-${request % 7}`): Observation {
  return json({
    id: `r-${random()}`,
    at: 1763942400 + random(),
    label,
    scores: [{ name: 'a', value: request % 10 }],
  });
}

describe('what a shadow finds', () => {
  it('finds nothing between identical models over 2,000 pairs', async () => {
    const options = { ignore: ['/id', '/at'] };
    const { classes, fields } = await shadowed({ live: answer, candidate: answer }, options, 2000);
    expect(classes).toEqual({ match: 2000 });
    expect(fields).toEqual([]);
  });

  it('finds no real field beside one that is random in both models', async () => {
    const { fields, classes } = await shadowed({ live: answer, candidate: answer }, { ignore: ['/at'] }, 1000);
    expect(classes).toEqual({ 'body-mismatch': 1000 });
    expect(fields.map(({ path, verdict }) => [path, verdict])).toEqual([['/id', 'noise']]);
  });

  it('finds a planted 5 % regression in one field within 2,000 pairs, and names it', async () => {
    const worse: Model = (request, random) =>
      answer(request, random, random() < 0.05 ? 'wrong' : `label-${request % 7}`);
    const { fields, pairs } = await shadowed({ live: answer, candidate: worse }, { ignore: ['/at'] }, 1800);
    expect(pairs).toBeLessThanOrEqual(2000);
    expect(fields.filter(({ verdict }) => verdict === 'real').map(({ path }) => path)).toEqual(['/label']);
  });

  it("finds a planted regression hidden in a stream's tool-call arguments", async () => {
    const good = transcript('openai-chat-tools.txt');
    const bad = good.replace('"arguments":"celsius"', '"arguments":"kelvin"');
    const fresh = (text: string, random: () => number): Observation =>
      stream(text.replaceAll('chatcmpl-B9', `c-${random()}`));
    const { fields, classes } = await shadowed(
      {
        live: (_request, random) => fresh(good, random),
        candidate: (_request, random) => fresh(random() < 0.2 ? bad : good, random),
      },
      { preset: 'openai-chat' },
      900,
    );
    expect(classes['body-mismatch']).toBeGreaterThan(100);
    expect(fields.map(({ path, verdict }) => [path, verdict])).toEqual([
      ['/choices/*/message/tool_calls/*/function/arguments/unit', 'real'],
    ]);
  });
});
