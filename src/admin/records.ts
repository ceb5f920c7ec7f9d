/** Owns the call that shows the newest records. Where they lie is `src/records/read.ts`'s to know. */

import { Hono } from 'hono/tiny';
import { readRecords } from '../records/read.ts';
import type { AdminEnv } from './context.ts';
import { query, refuse } from './input.ts';
import { recordsQuery } from './schemas.ts';

export function recordsRoutes() {
  return new Hono<AdminEnv>().get('/records', query(recordsQuery), async (c) => {
    const page = await readRecords(c.env, c.req.valid('query'), { fetch });
    if (page.ok) return c.json(page.value, 200);
    const { code, detail, mend } = page.error;
    return refuse(code === 'records_unavailable' ? 503 : 502, code, detail, mend);
  });
}
