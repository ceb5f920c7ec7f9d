import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_TOKEN, type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';

/** What the controller has gathered, once `eligible` requests are accounted for. */
export async function comparisons(headgate: Headgate, eligible: number): Promise<Record<string, any>> {
  const deadline = Date.now() + 40_000;
  for (;;) {
    const response = await fetch(`${headgate.url}/_headgate/api/routes/main/comparisons`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const answer = (await response.json()) as Record<string, any>;
    if (answer.eligible >= eligible || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

let headgate: Headgate;
let blue: Origin;
let green: Origin;

beforeAll(async () => {
  blue = await startOrigin((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: Math.random(), answer: request.url, from: 'x' }));
  });
  green = await startOrigin((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ id: Math.random(), answer: `${request.url}`, from: request.url === '/7' ? 'y' : 'x' }));
  });
  headgate = await startHeadgate({
    config: oneRoute({
      variants: { blue: { url: blue.url }, green: { url: green.url } },
      weights: { blue: 50, green: 50 },
      shadows: [{ variant: 'green', percent: 100, repeat: 50, samples: true, compare: { ignore: ['/id'] } }],
    }),
  });
});

afterAll(async () => {
  await headgate.dispose();
  await blue.close();
  await green.close();
});

describe('shadows', () => {
  it('mirrors to the variant that did not serve, compares, and accounts for every request', async () => {
    for (let i = 0; i < 20; i++) await (await fetch(`${headgate.url}/${i}`)).text();
    const answer = await comparisons(headgate, 20);
    expect(answer).toMatchObject({ eligible: 20, classes: { match: 19, 'body-mismatch': 1 }, skipped: {} });
    expect(answer.samples).toHaveLength(1);
    const rows = await headgate.records('dataset=comparisons&limit=500');
    expect(rows.filter((row) => row.role !== 'repeat')).toHaveLength(20);
  });
});
