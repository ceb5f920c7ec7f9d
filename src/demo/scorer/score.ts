/**
 * Owns the rating of two answers against the true language: 1 for right, 0 for wrong or no answer. Pure. A text that it does
 * not know gets no score at all, so that a question of a person's own does not count as wrong.
 */

/** What Headgate asks a scorer, as far as this one looks. */
export interface ScorerQuestion {
  request: { body: string };
  answers: Record<'live' | 'candidate', { status: number; body: string }>;
}

interface Scores {
  live: 0 | 1;
  candidate: 0 | 1;
}

/** The scores, or null where the truth is not known. */
export function score(question: ScorerQuestion, languagesOf: (text: string) => readonly string[]): Scores | null {
  const text = member(question.request.body, 'text');
  const truth = text === null ? [] : languagesOf(text);
  if (truth.length === 0) return null;
  const rate = ({ status, body }: { status: number; body: string }) =>
    status === 200 && truth.includes(member(body, 'language') ?? '') ? 1 : 0;
  return { live: rate(question.answers.live), candidate: rate(question.answers.candidate) };
}

/** A text member of a JSON object, or null: what is no JSON is no answer. */
export function member(json: string, name: string): string | null {
  try {
    const value: unknown = JSON.parse(json);
    const found = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : null;
    return typeof found === 'string' ? found : null;
  } catch {
    // No JSON: there is no such member.
    return null;
  }
}
