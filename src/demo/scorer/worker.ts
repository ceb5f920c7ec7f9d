/** Owns the scorer's HTTP face: a question of Headgate in, two scores out. It is what a scorer of your own would look like. */

import { type ScorerQuestion, score } from './score.ts';
import truth from './truth.json' with { type: 'json' };
import { languagesOf } from './truth.ts';

const knows = languagesOf(truth);

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response(null, { status: 405, headers: { allow: 'POST' } });
    const scores = score((await request.json()) as ScorerQuestion, knows);
    return scores === null
      ? Response.json({ error: { code: 'unknown_text', message: 'Its true language is not known.' } }, { status: 422 })
      : Response.json(scores);
  },
};
