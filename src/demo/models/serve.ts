/**
 * Owns the HTTP face that all demo models share: `POST /v1/detect` with `{"text": …}`, `GET /healthz`, and JSON errors.
 * It knows no model and no splitter: it is an ordinary service, as one would stand behind Headgate.
 */

import type { Detector } from './detector.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** A Worker that serves one detector. Every refusal is JSON `{"error":{"code","message"}}` with a fitting status. */
export function serve(detector: Detector): { fetch(request: Request): Promise<Response> } {
  return {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname === '/healthz') {
        if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed('GET, HEAD');
        return json(200, { status: 'ok', model: detector.model });
      }
      if (pathname !== '/v1/detect') return refuse(404, 'not_found', 'There are POST /v1/detect and GET /healthz.');
      if (request.method !== 'POST') return notAllowed('POST');
      return detect(detector, request);
    },
  };
}

async function detect(detector: Detector, request: Request): Promise<Response> {
  const body = await readBody(request);
  if (body === null) return refuse(413, 'too_large', `The body may hold ${MAX_BODY_BYTES} bytes.`);
  const text = textOf(body);
  if (text === null) return refuse(400, 'bad_request', 'The body must be JSON in UTF-8: {"text": "some words"}.');
  return json(200, { ...detector.detect(text), model: detector.model });
}

/** The whole body, or null once it is over the limit: what is announced or sent beyond that is never held. */
async function readBody(request: Request): Promise<Uint8Array | null> {
  if (Number(request.headers.get('content-length') ?? 0) > MAX_BODY_BYTES) return null;
  const kept = new Uint8Array(MAX_BODY_BYTES);
  let length = 0;
  for await (const chunk of request.body ?? []) {
    if (length + chunk.byteLength > MAX_BODY_BYTES) return null;
    kept.set(chunk, length);
    length += chunk.byteLength;
  }
  return kept.subarray(0, length);
}

function textOf(body: Uint8Array): string | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body));
    const text = typeof value === 'object' && value !== null && 'text' in value ? value.text : null;
    return typeof text === 'string' && text.trim() !== '' ? text : null;
  } catch {
    // Neither JSON nor UTF-8: the caller's mistake, and the answer above says what is expected.
    return null;
  }
}

function notAllowed(allow: string): Response {
  return refuse(405, 'method_not_allowed', `Use ${allow} here.`, { allow });
}

function refuse(status: number, code: string, message: string, headers?: Record<string, string>): Response {
  return json(status, { error: { code, message } }, headers);
}

function json(status: number, value: unknown, headers?: Record<string, string>): Response {
  return Response.json(value, { status, headers });
}
