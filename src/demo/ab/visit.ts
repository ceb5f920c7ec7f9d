/**
 * Owns one visitor's part in the demo's experiments: a question, the judgement of the answer, and the outcome that is posted back
 * with the receipt of that answer, as a backend would do it. It shows nothing and decides nothing.
 */

import { member } from '../scorer/score.ts';
import type { LabelledText } from '../texts.ts';
import { METRIC, TESTS, type TestName } from './config.ts';

const TIMEOUT_MS = 10_000;

export interface Visit {
  test: TestName;
  /** Who answered; null when nobody did. */
  variant: string | null;
  /** Null when there was no answer that could be judged. */
  right: boolean | null;
  /** Whether the outcome was taken. */
  posted: boolean;
}

/** Never rejects: what goes wrong is part of what is seen. */
export async function visit(url: string, test: TestName, userId: string, text: LabelledText): Promise<Visit> {
  const { route, headers } = TESTS[test];
  const answer = await post(`${url}/v1/detect`, { text: text.text }, { ...headers, 'x-user-id': userId });
  const variant = answer?.headers.get('x-headgate-variant') ?? null;
  const receipt = answer?.headers.get('x-headgate-receipt') ?? null;
  const found = answer?.ok ? member(await answer.text(), 'language') : null;
  if (found === null || receipt === null) return { test, variant, right: null, posted: false };
  const right = found === text.language;
  const taken = await post(`${url}/_headgate/outcomes`, { route, metric: METRIC, value: right, receipt });
  await taken?.text().catch(() => '');
  return { test, variant, right, posted: taken?.ok === true };
}

/** Null when there was no answer: refused, reset, or later than 10 s. */
function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response | null> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
}
