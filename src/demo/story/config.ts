/** Owns the document that the demo's story begins with. Pure: made of the one of `npm start`, so that the models are the same. */

import { withShadow } from '../shadow/config.ts';

export const ROUTE = 'detect';
/** What visitors say of an answer. */
export const METRIC = 'correct';

interface StoryDocument {
  routes: { variants: Record<string, unknown>; shadows: { percent: number }[]; [key: string]: unknown }[];
}

/** `text` with everything on blue, copies to green described but not made yet, and both bad releases among the variants. */
export function storyConfig(text: string): string {
  const document = JSON.parse(withShadow(text, 'green')) as StoryDocument;
  for (const route of document.routes) {
    const { variants, shadows } = route;
    for (const shadow of shadows) shadow.percent = 0;
    variants.broken = { service: 'BROKEN', health: { path: '/healthz', expect: 200 } };
    variants.wrong = { service: 'WRONG', health: { path: '/healthz', expect: 200 } };
    route.receipts = true;
    route.outcomes = [{ name: METRIC, kind: 'conversion' }];
  }
  return JSON.stringify(document);
}
