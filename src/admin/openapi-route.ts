/** Owns serving the API's description, as `openapi.ts` generated it. A test holds the file to the schemas. */

import { Hono } from 'hono/tiny';
import type { AdminEnv } from './context.ts';
import short from './openapi.json' with { type: 'json' };
import { openApiOf, type ShortApi } from './openapi-document.ts';

export function openApiRoutes() {
  return new Hono<AdminEnv>().get('/openapi.json', (c) => c.json(openApiOf(short as unknown as ShortApi), 200));
}
