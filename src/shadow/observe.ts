/**
 * Owns the observing of one reply: the live one, from what the relay kept of it, and a copy's, which it reads itself up to the
 * cap and then cancels. Whatever happens becomes an Observation; nothing is thrown.
 */

import type { Route, Variant } from '../config/types.ts';
import { Prefix } from '../forward/copies.ts';
import { askOrigin, type Question } from '../forward/origin.ts';
import type { Leaver } from '../forward/patience.ts';
import type { RequestUrl } from '../forward/request-url.ts';
import { nameOurHost } from '../forward/response-headers.ts';
import type { Served } from '../forward/served.ts';
import { decode } from './decode.ts';
import { CAPTURE_BYTES, READ_BYTES } from './limits.ts';
import { readMeasures } from './measures.ts';
import { noReply, type Observation, type ObservationEnd } from './observation.ts';

/** The live reply, once its body has ended. */
export async function observeLive(served: Served): Promise<Observation> {
  const report = await served.body;
  // From when the origin was asked, as with a copy: the time that the visitor's upload took is neither variant's.
  const since = sinceMs(served.askedAtMs);
  if (served.status === null) {
    const ends: Record<string, ObservationEnd> = { origin_timeout: 'timeout', client_left: 'abandoned' };
    return noReply(ends[served.errorCode] ?? 'unreachable');
  }
  const ended = report.end === 'refused' ? 'abandoned' : report.end === 'complete' ? 'complete' : 'cut';
  return {
    ...(await decoded(served.responseHeaders!, served.captured, ended, served.route)),
    location: locationOf(served.responseHeaders!, served.route.variants[served.variant]!, served.url),
    status: served.status,
    headersMs: since(served.headersAtMs),
    firstByteMs: since(report.firstByteAtMs),
    totalMs: since(Math.max(report.endedAtMs, served.headersAtMs)),
  };
}

/** The milliseconds from a start to another moment; undefined where that never came. */
function sinceMs(startedAtMs: number) {
  return (atMs: number | null) => (atMs === null ? undefined : atMs - startedAtMs);
}

/** What a copy asks; its route says what is measured of the answer. */
export type CopyQuestion = Question & { route: Route };

/** Sends a copy and observes the reply. `question.client` is the deadline: when it aborts, the reply has timed out. */
export async function observeCopy(question: CopyQuestion): Promise<Observation> {
  const since = sinceMs(Date.now());
  const asked = await askOrigin(question);
  if (!asked.ok) {
    const isLate = asked.error === 'timeout' || asked.error === 'client_left';
    return { ...noReply(isLate ? 'timeout' : 'unreachable'), totalMs: since(Date.now()) };
  }
  const { response, abort, patience } = asked.value;
  patience.done();
  patience.streams();
  const headersMs = since(Date.now());
  // Nobody would speak on the other end of a socket that a copy opened.
  if (response.webSocket) {
    response.webSocket.accept();
    response.webSocket.close();
  }
  const prefix = new Prefix(CAPTURE_BYTES);
  const read = await readPrefix(response, prefix, question.client);
  if (read.end !== 'complete') abort();
  return {
    ...(await decoded(response.headers, prefix, read.end, question.route)),
    location: locationOf(response.headers, question.variant, question.url),
    status: response.status,
    headersMs,
    firstByteMs: since(read.firstByteAtMs),
    totalMs: since(Date.now()),
  };
}

async function readPrefix(
  response: Response,
  prefix: Prefix,
  deadline: Leaver | null,
): Promise<{ end: ObservationEnd; firstByteAtMs: number | null }> {
  let firstByteAtMs: number | null = null;
  if (response.body === null) return { end: 'complete', firstByteAtMs };
  const reader = response.body.getReader({ mode: 'byob' });
  // One buffer, which comes back with each read: otherwise 32 trickling copies would make 40 MB of garbage a second.
  let buffer = new ArrayBuffer(READ_BYTES);
  try {
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) return { end: 'complete', firstByteAtMs };
      firstByteAtMs ??= Date.now();
      prefix.add(value);
      buffer = value.buffer;
      if (prefix.bytes > CAPTURE_BYTES) {
        reader.cancel().catch(() => {});
        return { end: 'truncated', firstByteAtMs };
      }
    }
  } catch {
    return { end: deadline?.signal.aborted ? 'timeout' : 'cut', firstByteAtMs };
  }
}

type Body = Pick<Observation, 'contentType' | 'body' | 'bytes' | 'end' | 'measures'>;

async function decoded(
  headers: Headers,
  prefix: Prefix | null,
  end: ObservationEnd,
  { measures }: Route,
): Promise<Body> {
  const raw = prefix?.take() ?? new Uint8Array(0);
  const known = await decode(headers.get('content-encoding'), raw, CAPTURE_BYTES);
  const { bytes, isTruncated, isSound } = known ?? { bytes: raw, isTruncated: false, isSound: true };
  const isPartial = end === 'complete' && (isTruncated || prefix?.isTruncated === true);
  return {
    // In an unknown coding it can only be compared as bytes.
    contentType: known === null ? 'application/octet-stream' : headers.get('content-type'),
    body: bytes,
    bytes: bytes.byteLength,
    // A body that cannot be decoded is as useless to clients as one that broke off.
    end: !isSound && raw.byteLength > 0 && end !== 'timeout' ? 'cut' : isPartial ? 'truncated' : end,
    measures: readMeasures(measures, headers),
  };
}

/** A redirect as the visitor gets it, whole: each variant may name its own host and base path. */
function locationOf(headers: Headers, { origin }: Variant, url: RequestUrl): string | null {
  const location = headers.get('location');
  if (location === null) return null;
  const seen = new Headers({ location });
  nameOurHost(seen, origin, url);
  return URL.parse(seen.get('location')!, url.href)?.href ?? location;
}
