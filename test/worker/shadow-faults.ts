/** Owns a shadow that fails in as many ways as its paths name: `/hang/…` hangs, and so on. It asserts nothing. */

import { type RawOrigin, type RawRequest, startRawOrigin } from './raw-http.ts';

/** Every way of failing; `refuse` is a port on which nobody listens, and so none of this origin's. */
export const FAULTS = ['hang', 'no-read', 'reset', 'error', 'loop', 'huge', 'trickle', 'cut', 'garbage'] as const;
export type ShadowFault = (typeof FAULTS)[number];

export interface FaultyShadow extends RawOrigin {
  /** Requests that came, by fault. */
  came: Record<ShadowFault, number>;
  /** Requests whose connection is still open and unanswered, by fault. */
  open: Record<ShadowFault, number>;
  /** The most bytes of a reply of 1 GiB that were taken. */
  hugeBytesTaken: number;
}

const GIB = 1 << 30;
const MIB = Buffer.alloc(1 << 20, '0123456789abcde\n');

export async function startFaultyShadow(): Promise<FaultyShadow> {
  const none = () => Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<ShadowFault, number>;
  const counts = { came: none(), open: none(), hugeBytesTaken: 0 };
  const origin = await startRawOrigin(async (request) => {
    const fault = request.path.split('/')[1] as ShadowFault;
    counts.came[fault]++;
    counts.open[fault]++;
    try {
      await fail(fault, request, (bytes) => {
        counts.hugeBytesTaken = Math.max(counts.hugeBytesTaken, bytes);
      });
    } finally {
      counts.open[fault]--;
    }
  });
  return Object.assign(counts, origin);
}

async function fail(fault: ShadowFault, request: RawRequest, took: (bytes: number) => void): Promise<void> {
  const { socket, say, gone } = request;
  if (fault === 'no-read') {
    socket.pause();
    return gone;
  }
  if (fault === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  await request.whole();
  switch (fault) {
    case 'hang':
      return gone;
    case 'error':
      return say('HTTP/1.1 500 Broken\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"error":"no"}');
    case 'loop':
      return say(`HTTP/1.1 302 Found\r\nLocation: ${request.path}\r\nContent-Length: 0\r\n\r\n`);
    case 'huge': {
      await say(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${GIB}\r\n\r\n`);
      for (let sent = 0; sent < GIB && !socket.destroyed; sent += MIB.length) {
        await Promise.race([say(MIB), gone]);
        took(sent + MIB.length);
      }
      return gone;
    }
    case 'trickle':
      await say('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n');
      while (!socket.destroyed) {
        await Promise.race([say('1\r\n0\r\n'), gone]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return;
    case 'cut':
      await say('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n0123456789');
      setTimeout(() => socket.destroy(), 10);
      return gone;
    case 'garbage':
      await say('this is no HTTP\r\n\r\n');
      socket.end();
      return gone;
  }
}
