/** Owns what is read from a visitor's request before anything is decided, so that the runtime is asked for it only once. */

import type { RequestUrl } from './request-url.ts';

/** A visitor's request, read once. */
export interface Incoming {
  /** The runtime's own request: for its body, its signal and its `cf`. */
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

/** Reads the request. `url` is its URL as `parseRequestUrl` gave it. */
export function readIncoming(request: Request, url: RequestUrl): Incoming {
  const { method, headers: sent } = request;
  const names: string[] = [];
  for (const name of sent.keys()) names.push(name);
  // Most headers that are asked for are absent, and asking the runtime for an absent one costs as much as for any other.
  const header = (name: string) => (names.includes(name) ? sent.get(name) : null);
  return { request, method, url, sent, names, header, cookieHeader: header('cookie') };
}

/** The platform's facts about a request. The first access builds them, and costs as much as setting all our headers. */
export function cfOf({ request }: Pick<Incoming, 'request'>): IncomingRequestCfProperties | undefined {
  return request.cf as IncomingRequestCfProperties | undefined;
}
