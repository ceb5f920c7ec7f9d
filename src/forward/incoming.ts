/** Owns what is read of a visitor's request before anything is decided, so that it is asked of the runtime once. */

import type { RequestUrl } from './request-url.ts';

export interface Incoming {
  /** The runtime's own, for its body, its signal and what the platform says of it. */
  request: Request;
  method: string;
  url: RequestUrl;
  /** The headers as they were sent. */
  sent: Headers;
  /** Their names, in small letters. */
  names: readonly string[];
  /** One of them by its name in small letters, or null. */
  header: (name: string) => string | null;
  cookieHeader: string | null;
}

export function readIncoming(request: Request, url: RequestUrl): Incoming {
  const { method, headers: sent } = request;
  const names: string[] = [];
  for (const name of sent.keys()) names.push(name);
  // Most that are asked for are not there, and the runtime takes as long to say so as to give one.
  const header = (name: string) => (names.includes(name) ? sent.get(name) : null);
  return { request, method, url, sent, names, header, cookieHeader: header('cookie') };
}

/** What the platform says of a request. It is made when it is first asked for, and as dear as all the headers that are set. */
export function cfOf({ request }: Pick<Incoming, 'request'>): IncomingRequestCfProperties | undefined {
  return request.cf as IncomingRequestCfProperties | undefined;
}
