/**
 * Owns the bench's origin, a process of its own (`node origin.ts`): answers of fixed sizes and event streams, the
 * same under `/green` for the second variant. It tells its parent the port once it listens.
 */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const EVENTS = 20;
const EVENT_SPACING_MS = 5;
const MINUTE_EVENTS = 600;

const small = JSON.stringify({ language: 'en', confidence: 0.9731, model: 'm-1', alternatives: ['de', 'nl', 'fr'] });
const bodies: Record<string, { type: string; bytes: Buffer }> = {
  '/empty': { type: 'text/plain', bytes: Buffer.alloc(0) },
  '/json': { type: 'application/json', bytes: Buffer.from(small.padEnd(150)) },
  '/10k': { type: 'application/octet-stream', bytes: Buffer.alloc(10_240, 'x') },
  '/1m': { type: 'application/octet-stream', bytes: Buffer.alloc(1_048_576, 'x') },
  '/100m': { type: 'application/octet-stream', bytes: Buffer.alloc(100 << 20, '0123456789abcde\n') },
};

function sendEvents(response: ServerResponse, events: number, spacingMs: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    response.write(`data: {"choices":[{"index":0,"delta":{"content":"word ${sent}"}}]}\n\n`);
    if (++sent < events) return;
    clearInterval(timer);
    response.end('data: [DONE]\n\n');
  }, spacingMs);
  response.on('close', () => clearInterval(timer));
}

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const path = (request.url ?? '/').replace(/^\/green/, '');
  request.resume();
  request.on('end', () => {
    const body = bodies[path];
    if (path === '/sse') sendEvents(response, EVENTS, EVENT_SPACING_MS);
    else if (path === '/sse-minute') sendEvents(response, MINUTE_EVENTS, 60_000 / MINUTE_EVENTS);
    else if (body === undefined) response.writeHead(404).end();
    else {
      response.writeHead(200, { 'content-type': body.type, 'content-length': body.bytes.byteLength });
      response.end(body.bytes);
    }
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
