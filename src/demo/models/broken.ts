/**
 * Owns a release that should never have gone out: it answers 500 to every text with a letter outside Latin-1, and takes a
 * good half second for the others. Its health check is fine, as it is with most bad releases.
 */

import { latinOnly } from './latin-only.ts';
import { serve } from './serve.ts';

/** Far over what the demo calls slow, also on a busy machine. */
const SLOWER_MS = 600;
const inner = serve(latinOnly);

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      const answer = await inner.fetch(request);
      if (request.method === 'POST') await new Promise((resolve) => setTimeout(resolve, SLOWER_MS));
      return answer;
    } catch {
      // 500, which Headgate passes on: it answers in a candidate's place only where that is down or overloaded.
      return Response.json({ error: { code: 'internal', message: 'Something went wrong.' } }, { status: 500 });
    }
  },
};
