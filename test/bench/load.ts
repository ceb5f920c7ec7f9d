/**
 * Owns the load, in a process of its own (`node load.ts`): raw sockets with keep-alive, so that the generator takes little of
 * the cores it shares. Closed loop: each connection sends its next request when it has the answer. Open loop: requests fall due
 * at a fixed rate whatever became of the earlier ones, and one that finds no free connection waits with its clock running, so
 * that a stall is counted once for everyone who would have met it (coordinated omission).
 */

import { connect, type Socket } from 'node:net';
import { quantile } from './ratios.ts';
import { ResponseReader } from './response-reader.ts';

export interface LoadOrder {
  port: number;
  /** Whole requests as they go over the wire; they are sent in turn. */
  requests: string[];
  ms: number;
  /** Requests a second of the open loop; absent for the closed one. */
  perSecond?: number;
  connections: number;
}

export interface LoadResult {
  requests: number;
  /** Answers that were no 200. */
  refused: number;
  p50Ms: number;
  p99Ms: number;
}

/** One keep-alive connection; calls back with each answer's status, 0 for one that broke off. */
class Connection {
  #port: number;
  #socket: Socket;
  #reader = new ResponseReader();
  #onAnswer: (status: number) => void = () => {};
  isOpen = true;

  constructor(port: number) {
    this.#port = port;
    this.#socket = this.#connected();
  }

  #connected(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.isOpen = true;
    this.#reader = new ResponseReader();
    socket.on('data', (bytes) => {
      if (!this.#reader.take(bytes)) return;
      const { status } = this.#reader;
      this.#reader = new ResponseReader();
      this.#onAnswer(status);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOpen = false;
      this.#onAnswer(0);
    });
    return socket;
  }

  send(request: Buffer, onAnswer: (status: number) => void): void {
    this.#onAnswer = (status) => {
      this.#onAnswer = () => {};
      onAnswer(status);
    };
    // An idle connection that was closed in the middle of a slot would never answer, and the bench would wait for ever.
    if (!this.isOpen) this.#socket = this.#connected();
    this.#socket.write(request);
  }
}

/** Connections stay open from slot to slot, by port, so that a slot measures requests and not their setting up. */
const pools = new Map<number, Connection[]>();

/** workerd closes what was idle for seconds; such ones are replaced. */
function connectionsTo(port: number, count: number): Connection[] {
  const open = (pools.get(port) ?? []).filter(({ isOpen }) => isOpen);
  while (open.length < count) open.push(new Connection(port));
  pools.set(port, open);
  return open.slice(0, count);
}

async function run(order: LoadOrder): Promise<LoadResult> {
  const requests = order.requests.map((text) => Buffer.from(text, 'latin1'));
  const connections = connectionsTo(order.port, order.connections);
  const latenciesMs: number[] = [];
  let refused = 0;
  let turn = 0;
  const exchange = (connection: Connection, dueMs: number, onEnd: () => void) => {
    connection.send(requests[turn++ % requests.length]!, (status) => {
      latenciesMs.push(performance.now() - dueMs);
      if (status !== 200) refused++;
      onEnd();
    });
  };
  await (order.perSecond === undefined
    ? closedLoop(connections, order.ms, exchange)
    : openLoop(connections, { ms: order.ms, perSecond: order.perSecond }, exchange));
  const [p50Ms, p99Ms] = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)];
  return { requests: latenciesMs.length, refused, p50Ms, p99Ms };
}

type Exchange = (connection: Connection, dueMs: number, onEnd: () => void) => void;

function closedLoop(connections: Connection[], ms: number, exchange: Exchange): Promise<unknown> {
  const untilMs = performance.now() + ms;
  const loop = (connection: Connection) =>
    new Promise<void>((resolve) => {
      const next = () => {
        const nowMs = performance.now();
        if (nowMs < untilMs) exchange(connection, nowMs, next);
        else resolve();
      };
      next();
    });
  return Promise.all(connections.map(loop));
}

/** A request is due when the generator's timer, of about a millisecond, wakes for it: its own lateness is nobody's latency. */
function openLoop(connections: Connection[], by: { ms: number; perSecond: number }, exchange: Exchange): Promise<void> {
  const total = Math.round((by.ms / 1000) * by.perSecond);
  const startMs = performance.now();
  const free = [...connections];
  const waitingSinceMs: number[] = [];
  let begun = 0;
  let done = 0;
  return new Promise((resolve) => {
    const dispatch = () => {
      while (waitingSinceMs.length > 0 && free.length > 0) {
        const connection = free.pop()!;
        exchange(connection, waitingSinceMs.shift()!, () => {
          free.push(connection);
          if (++done === total) resolve();
          else if (waitingSinceMs.length > 0) dispatch();
        });
      }
    };
    const tick = () => {
      const nowMs = performance.now();
      const due = Math.min(total, Math.ceil(((nowMs - startMs) / 1000) * by.perSecond));
      for (; begun < due; begun++) waitingSinceMs.push(nowMs);
      dispatch();
      if (begun < total) setTimeout(tick, 1);
    };
    tick();
  });
}

process.on('message', (order: LoadOrder) => void run(order).then((result) => process.send?.(result)));
process.on('disconnect', () => process.exit(0));
