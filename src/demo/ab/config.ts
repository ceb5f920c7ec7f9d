/**
 * Owns the document of `npm run demo -- --ab`: an A/B test of two models, and beside it an A/A test of one model under two names,
 * each on a route of its own over the same people. Pure: made of the document of `npm start`, so that the models are the same.
 */

export const METRIC = 'correct';

/** The two tests; `same` is told apart by a header, since both stand before the same path. */
export const TESTS = {
  ab: { route: 'detect', baseline: 'third', variant: 'green', headers: {} },
  aa: { route: 'same', baseline: 'one', variant: 'two', headers: { 'x-demo-route': 'same' } },
} as const;
export type TestName = keyof typeof TESTS;

interface AbDocument {
  routes: { variants: Record<string, unknown>; match: { path: string }; [key: string]: unknown }[];
}

/** Both routes with half of the people on each side; `plannedUnits` of both arms together. */
export function abConfig(text: string, plannedUnits: number): string {
  const document = JSON.parse(text) as AbDocument;
  const [plain] = document.routes;
  const { third, green } = plain!.variants;
  const { ab, aa } = TESTS;
  const variants = { ab: { third, green }, aa: { one: third, two: third } };
  const routes = ([ab, aa] as const).map(({ route, baseline, variant }) => ({
    ...plain,
    name: route,
    match: route === aa.route ? { ...plain!.match, header: aa.headers } : plain!.match,
    variants: route === aa.route ? variants.aa : variants.ab,
    baseline,
    weights: { [baseline]: 50, [variant]: 50 },
    receipts: true,
    outcomes: [{ name: METRIC, kind: 'conversion', goal: 'increase' }],
    // A secondary metric beside an A/A test would be one more chance of a false alarm.
    experiment: {
      id: `demo-${route}`,
      primary: [METRIC],
      secondary: route === ab.route ? ['latency'] : [],
      plannedUnits,
    },
  }));
  // The first match wins, and the plain path would match everything.
  return JSON.stringify({ ...document, routes: routes.toReversed() });
}
