/**
 * Owns the demo's traffic: labelled text sent at a steady rate by many visitors over kept-alive connections, at most 32 at
 * once. When the splitter does not keep up, requests are left out and counted, never queued. It shows nothing.
 */

import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './scoreboard.ts';
import { member } from './scorer/score.ts';
import type { LabelledText } from './texts.ts';
import { identityHeaders, keepCookie, pickIdle, type Visitor } from './visitors.ts';

/** Who asked, and when (epoch milliseconds). */
interface Asked {
  visitor: Visitor;
  sentAtMs: number;
}

interface TrafficOptions {
  /** Headgate's address, without a path. */
  url: string;
  perSecond: number;
  visitors: Visitor[];
  texts: readonly LabelledText[];
  random: () => number;
  /** Ends the traffic; requests under way are still answered. */
  signal: AbortSignal;
  /** `receipt`: the answer's `x-headgate-receipt`, null where there is none. */
  onAnswer: (answer: Answer, asked: Asked, receipt: string | null) => void;
  /** Told of each text just before it goes out; what it returns is sent as `x-request-id`. */
  requestId?: (text: LabelledText) => string;
}

const MAX_IN_FLIGHT = 32;
const TIMEOUT_MS = 10_000;
const TICK_MS = 20;

/** Sends until the signal, then says how many were sent, and how many left out because too many were under way. */
export async function sendTraffic(options: TrafficOptions): Promise<{ sent: number; leftOut: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  const inFlight = new Set<Promise<void>>();
  const startedMs = performance.now();
  let due = 0;
  let sent = 0;
  while (!options.signal.aborted) {
    const dueNow = Math.floor(((performance.now() - startedMs) / 1_000) * options.perSecond);
    for (; due < dueNow; due++) {
      const visitor = inFlight.size < MAX_IN_FLIGHT ? pickIdle(options.visitors, options.random) : null;
      if (visitor === null) continue;
      const asked = ask(options, agent, visitor, options.texts[sent++ % options.texts.length]!);
      inFlight.add(asked);
      void asked.then(() => inFlight.delete(asked));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(inFlight);
  agent.destroy();
  return { sent, leftOut: due - sent };
}

async function ask(options: TrafficOptions, agent: Agent, visitor: Visitor, text: LabelledText): Promise<void> {
  visitor.busy = true;
  const asked = { visitor, sentAtMs: Date.now() };
  const startedMs = performance.now();
  const id = options.requestId?.(text);
  const headers = { ...identityHeaders(visitor), ...(id === undefined ? {} : { 'x-request-id': id }) };
  const reply = await post(options.url, agent, headers, JSON.stringify({ text: text.text }));
  const ms = performance.now() - startedMs;
  visitor.busy = false;
  if (reply === null) {
    options.onAnswer({ variant: null, language: text.language, right: null, ms }, asked, null);
    return;
  }
  keepCookie(visitor, reply.headers['set-cookie'] ?? []);
  const variant = reply.headers['x-headgate-variant'];
  const found = reply.status === 200 ? member(reply.body, 'language') : null;
  const answer = {
    variant: typeof variant === 'string' ? variant : null,
    language: text.language,
    right: found === null ? null : found === text.language,
    ms,
  };
  const receipt = reply.headers['x-headgate-receipt'];
  options.onAnswer(answer, asked, typeof receipt === 'string' ? receipt : null);
}

interface Reply {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** Null when there was no whole answer: refused, reset, cut off, or later than 10 s. */
function post(url: string, agent: Agent, headers: Record<string, string>, body: string): Promise<Reply | null> {
  return new Promise((resolve) => {
    const options = {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    };
    const sending = request(`${url}/v1/detect`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(null));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        });
      });
    });
    sending.on('error', () => resolve(null));
    sending.end(body);
  });
}
