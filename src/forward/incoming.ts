/** Owns what is read of a visitor's request before anything is decided, so that it is asked of the runtime once. */

import type { RequestUrl } from './request-url.ts';

export interface Incoming {
  /** The runtime's own, for its body, its signal and what the platform says of it. */
  request: Request;
  method: string;
  url: RequestUrl;
  /** The headers as they were sent. */
  sent: Headers;
}

export function readIncoming(request: Request, url: RequestUrl): Incoming {
  const { method, headers } = request;
  return { request, method, url, sent: headers };
}

/** What the platform says of a request. It is made when it is first asked for, and as dear as all the headers that are set. */
export function cfOf({ request }: Pick<Incoming, 'request'>): IncomingRequestCfProperties | undefined {
  return request.cf as IncomingRequestCfProperties | undefined;
}
