import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Headgate, type Origin, oneRoute, startHeadgate, startOrigin } from './harness.ts';
import { comparisonsOf } from './shadow-world.ts';

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
    response.end(
      JSON.stringify({ id: Math.random(), answer: `${request.url}`, from: request.url === '/7' ? 'y' : 'x' }),
    );
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
    const answer = await comparisonsOf(headgate, 'main', 20);
    expect(answer).toMatchObject({ eligible: 20, classes: { match: 19, 'body-mismatch': 1 }, skipped: {} });
    expect(answer.samples).toHaveLength(1);
    const rows = await headgate.records('dataset=comparisons&limit=500');
    expect(rows.filter((row) => row.role !== 'repeat')).toHaveLength(20);
  });
});
