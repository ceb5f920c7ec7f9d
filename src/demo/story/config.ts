/** Owns the document that the demo's story begins with. Pure: made of the one of `npm start`, so that the models are the same. */

import { withShadow } from '../shadow/config.ts';

export const ROUTE = 'detect';

interface StoryDocument {
  routes: { variants: Record<string, unknown>; shadows: { percent: number }[] }[];
}

/** `text` with everything on blue, copies to green described but not made yet, and the broken release among the variants. */
export function storyConfig(text: string): string {
  const document = JSON.parse(withShadow(text, 'green')) as StoryDocument;
  for (const { variants, shadows } of document.routes) {
    for (const shadow of shadows) shadow.percent = 0;
    variants.broken = { service: 'BROKEN', health: { path: '/healthz', expect: 200 } };
  }
  return JSON.stringify(document);
}
