/** Owns what is read of a visitor's request before anything is decided, so that it is asked of the runtime once. */

import type { RequestUrl } from './request-url.ts';

export interface Incoming {
  /** The runtime's own, for its body and its signal. */
  request: Request;
  method: string;
  url: RequestUrl;
  /** The headers as they were sent. */
  sent: Headers;
  cf: IncomingRequestCfProperties | undefined;
}

export function readIncoming(request: Request, url: RequestUrl): Incoming {
  const { method, headers } = request;
  return { request, method, url, sent: headers, cf: request.cf as Incoming['cf'] };
}
