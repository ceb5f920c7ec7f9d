/**
 * Owns the admin API's frame: what lies under `/_headgate`, who may call it, and how every answer looks (design section 11).
 * It refuses to serve traffic, and to answer anything under `/api` to anybody but operators. Mount it at `/_headgate`.
 */

import { Hono } from 'hono/tiny';
import { internal } from '../problem.ts';
import { adminAuth } from './auth.ts';
import { comparisonsRoutes } from './comparisons.ts';
import { configRoutes } from './config.ts';
import type { AdminDeps, AdminEnv } from './context.ts';
import { doctorRoutes } from './doctor.ts';
import { experimentRoutes } from './experiment.ts';
import { onlyOnAdminHost, privateAnswers, unknownOrWrongMethod } from './frame.ts';
import { healthRoutes } from './health.ts';
import { refuse } from './input.ts';
import { openApiRoutes } from './openapi-route.ts';
import { outcomesRoutes } from './outcomes.ts';
import { outcomesScript } from './outcomes-script.ts';
import { previewApiRoutes, previewRoutes } from './preview.ts';
import { recordsRoutes } from './records.ts';
import { trafficRoutes } from './routes.ts';

/** The type that the typed client is made of. */
export type AdminApp = ReturnType<typeof adminApp>;

/** The whole admin API. */
export function adminApp(deps: AdminDeps) {
  const app = new Hono<AdminEnv>()
    .use(privateAnswers)
    .use(onlyOnAdminHost)
    .use('/api/*', adminAuth())
    .route('/', healthRoutes())
    .route('/', previewRoutes())
    .route('/', outcomesRoutes(deps))
    .route('/', outcomesScript())
    .route('/api', configRoutes())
    .route('/api', recordsRoutes())
    .route('/api', previewApiRoutes(deps))
    .route('/api', comparisonsRoutes(deps))
    .route('/api', trafficRoutes(deps))
    .route('/api', experimentRoutes(deps))
    .route('/api', doctorRoutes(deps))
    .route('/api', openApiRoutes());
  app.all('*', unknownOrWrongMethod(app));
  app.onError((cause, c) => {
    // The runtime lets a Host header through that no URL can be made of.
    if (!URL.canParse(c.req.url)) return refuse(400, 'bad_request', 'The request names no host.', 'send a Host header');
    console.error('admin', cause);
    const { status, code, detail } = internal;
    return refuse(status, code, detail, 'look at npx wrangler tail and headgate doctor');
  });
  return app;
}
