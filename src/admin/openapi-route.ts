/** Owns serving the API's description, as `openapi.ts` generated it. A test holds the file to the schemas. */

import { Hono } from 'hono/tiny';
import type { AdminEnv } from './context.ts';
import description from './openapi.json' with { type: 'json' };

export function openApiRoutes() {
  return new Hono<AdminEnv>().get('/openapi.json', (c) => c.json(description as Record<string, unknown>, 200));
}
