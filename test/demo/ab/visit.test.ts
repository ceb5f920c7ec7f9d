import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { visit } from '../../../src/demo/ab/visit.ts';
import { nobody, serve } from '../../cli/session.ts';

let headgate: Awaited<ReturnType<typeof serve>>;
let answer: () => Response;
let outcomes: unknown[];
let asked: Request[];
const text = { text: 'Alle Menschen sind frei', language: 'deu' };
const found = (language: string) => () =>
  Response.json({ language }, { headers: { 'x-headgate-variant': 'green', 'x-headgate-receipt': 'r~1' } });

beforeAll(async () => {
  headgate = await serve(async (request) => {
    if (new URL(request.url).pathname !== '/_headgate/outcomes') {
      asked.push(request);
      return answer();
    }
    outcomes.push(await request.json());
    return Response.json({ counted: true });
  });
});
afterAll(() => headgate.close());
beforeEach(() => {
  outcomes = [];
  asked = [];
});

describe('a visitor of the demo’s experiments', () => {
  it.each([
    ['deu', true],
    ['nld', false],
  ])('posts back with the receipt whether %s was right: %s', async (language, right) => {
    answer = found(language);
    expect(await visit(headgate.url, 'aa', 'user-1', text)).toEqual({
      test: 'aa',
      variant: 'green',
      right,
      posted: true,
    });
    expect(outcomes).toEqual([{ route: 'same', metric: 'correct', value: right, receipt: 'r~1' }]);
    expect(Object.fromEntries(asked[0]!.headers)).toMatchObject({ 'x-user-id': 'user-1', 'x-demo-route': 'same' });
  });

  it.each<[string, () => Response]>([
    ['fails', () => new Response('', { status: 500 })],
    ['is no JSON', () => new Response('<html>', { headers: { 'x-headgate-receipt': 'r' } })],
    ['has no receipt', () => Response.json({ language: 'deu' })],
  ])('posts nothing when the answer %s', async (_, given) => {
    answer = given;
    expect(await visit(headgate.url, 'ab', 'user-1', text)).toMatchObject({ right: null, posted: false });
    expect(outcomes).toEqual([]);
  });

  it('sees it when nobody answers', async () => {
    expect(await visit(await nobody(), 'ab', 'user-1', text)).toMatchObject({ variant: null, right: null });
  });
});
