/** The Worker's face: `fetch`, where the controls part from traffic before anything else, and the Durable Object classes. */

import './order.ts';
import { controls, traffic } from './app.ts';
import type { Env } from './env.ts';

export { ExperimentLedger } from './experiment/ledger.ts';
export { Recorder } from './records/recorder.ts';
export { RolloutController } from './rollout/controller.ts';

const CONTROLS = /^https?:\/\/[^/?#]*\/_headgate(?:[/?#]|$)/;

export default {
  fetch(request, env, ctx) {
    return (CONTROLS.test(request.url) ? controls : traffic).fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;
