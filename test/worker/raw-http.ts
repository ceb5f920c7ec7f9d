/**
 * Owns HTTP/1.1 as bytes on a socket, on both sides of the Worker: nothing is decoded, joined, sorted or repaired on the way, so a
 * test sees what was sent. It knows three framings and no more, and it asserts nothing.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type HeaderLines = [name: string, value: string][];

export interface Head {
  /** The request or status line. */
  first: string;
  /** As sent: order, letters, duplicates. Values are latin-1, one character a byte. */
  headers: HeaderLines;
}

export type Framing = { kind: 'none' } | { kind: 'length'; length: number } | { kind: 'chunked' } | { kind: 'close' };

/** A body that ended before its framing said so. */
export class CutBody extends Error {}

/** One direction of a connection, read as messages. */
export class Wire {
  readonly socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #isOver = false;
  #isReset = false;
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
      if (this.#buffer.length > 1_048_576) socket.pause();
      this.#wake?.();
    });
    const over = () => {
      this.#isOver = true;
      this.#wake?.();
    };
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', () => {
      this.#isReset = true;
    });
  }

  /** The next message's first line and headers; null when the connection ended before it. */
  async head(): Promise<Head | null> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n\r\n');
      if (at >= 0) {
        const [first = '', ...lines] = this.#take(at + 4)
          .subarray(0, at)
          .toString('latin1')
          .split('\r\n');
        const headers = lines.map((line): [string, string] => {
          const colon = line.indexOf(':');
          return [line.slice(0, colon), line.slice(colon + 1).trim()];
        });
        return { first, headers };
      }
      if (!(await this.#more())) return null;
    }
  }

  /** The body's bytes as they come. Throws `CutBody` when they end too early. */
  async *body(framing: Framing): AsyncGenerator<Buffer> {
    if (framing.kind === 'length') yield* this.#exactly(framing.length);
    else if (framing.kind === 'close') {
      while (this.#buffer.length > 0 || (await this.#more())) yield this.#take(this.#buffer.length);
      if (this.#isReset) throw new CutBody('reset');
    } else if (framing.kind === 'chunked') {
      for (;;) {
        const size = Number.parseInt(await this.#line(), 16);
        if (size === 0) break;
        yield* this.#exactly(size);
        await this.#line();
      }
      while ((await this.#line()) !== '');
    }
  }

  async *#exactly(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      if (this.#buffer.length === 0 && !(await this.#more())) throw new CutBody(`${left} bytes are missing`);
      const part = this.#take(Math.min(left, this.#buffer.length));
      left -= part.length;
      yield part;
    }
  }

  async #line(): Promise<string> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n');
      if (at >= 0)
        return this.#take(at + 2)
          .subarray(0, at)
          .toString('latin1');
      if (!(await this.#more())) throw new CutBody('the chunks have no end');
    }
  }

  #take(bytes: number): Buffer {
    const taken = this.#buffer.subarray(0, bytes);
    this.#buffer = this.#buffer.subarray(bytes);
    return taken;
  }

  async #more(): Promise<boolean> {
    const had = this.#buffer.length;
    while (!this.#isOver && this.#buffer.length === had) {
      this.socket.resume();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = null;
    return this.#buffer.length > had;
  }
}

/** All values of a header, in their order. */
export function values(headers: HeaderLines, name: string): string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

function framingOf(headers: HeaderLines, otherwise: Framing): Framing {
  if (values(headers, 'transfer-encoding').some((value) => /chunked/i.test(value))) return { kind: 'chunked' };
  const [length] = values(headers, 'content-length');
  return length === undefined ? otherwise : { kind: 'length', length: Number(length) };
}

export interface RawAnswer {
  status: number;
  statusText: string;
  headers: HeaderLines;
  framing: Framing;
}

/** An answer read to its end. */
export interface WholeAnswer extends RawAnswer {
  body: Buffer;
  end: 'complete' | 'cut';
}

export interface RawAsk {
  method?: string;
  path?: string;
  headers?: HeaderLines;
  /** Sent with its Content-Length. */
  body?: Buffer | string;
}

/** A client's connection. */
export class RawClient {
  readonly socket: Socket;
  readonly #wire: Wire;
  #method = 'GET';

  constructor(socket: Socket) {
    this.socket = socket;
    this.#wire = new Wire(socket);
  }

  static async to(url: string): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawClient(socket);
  }

  /** Sends a request's head, and its body where there is one. */
  ask({ method = 'GET', path = '/', headers = [], body }: RawAsk): void {
    this.#method = method;
    const lines = [`${method} ${path} HTTP/1.1`];
    if (values(headers, 'host').length === 0) lines.push('Host: front.test');
    for (const [name, value] of headers) lines.push(`${name}: ${value}`);
    if (body !== undefined) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
    this.socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    if (body !== undefined && body.length > 0) this.socket.write(body);
  }

  /** The answer's head; null when the connection ended without one. */
  async answer(): Promise<RawAnswer | null> {
    const head = await this.#wire.head();
    if (head === null) return null;
    const [, status, statusText = ''] = /^HTTP\/1\.1 (\d+) ?(.*)$/.exec(head.first)!;
    const isBodiless = this.#method === 'HEAD' || status === '204' || status === '304' || status === '101';
    const framing: Framing = isBodiless ? { kind: 'none' } : framingOf(head.headers, { kind: 'close' });
    return { status: Number(status), statusText, headers: head.headers, framing };
  }

  body(answer: RawAnswer): AsyncGenerator<Buffer> {
    return this.#wire.body(answer.framing);
  }

  /** The answer to its end, whichever that is; null when there was none. */
  async whole(): Promise<WholeAnswer | null> {
    const answer = await this.answer();
    if (answer === null) return null;
    const parts: Buffer[] = [];
    let end: WholeAnswer['end'] = 'complete';
    try {
      for await (const part of this.body(answer)) parts.push(part);
    } catch (cause) {
      if (!(cause instanceof CutBody)) throw cause;
      end = 'cut';
    }
    return { ...answer, body: Buffer.concat(parts), end };
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Asks on a connection of its own; null when the connection ended without an answer. */
export async function ask(url: string, what: RawAsk = {}): Promise<WholeAnswer | null> {
  const client = await RawClient.to(url);
  client.ask(what);
  try {
    return await client.whole();
  } finally {
    client.close();
  }
}

/** Asks where an answer must come. */
export async function answerTo(url: string, what: RawAsk = {}): Promise<WholeAnswer> {
  const answer = await ask(url, what);
  if (answer === null) throw new Error('the connection ended without an answer');
  return answer;
}

/** A request as it came to a raw origin. */
export interface RawRequest {
  method: string;
  path: string;
  headers: HeaderLines;
  framing: Framing;
  socket: Socket;
  /** Settles when the connection is over, from whichever side. */
  gone: Promise<void>;
  body(): AsyncGenerator<Buffer>;
  whole(): Promise<Buffer>;
  /** Writes bytes of the answer as they stand. */
  say(raw: string | Buffer): Promise<void>;
}

export interface RawOrigin {
  url: string;
  server: Server;
  close(): Promise<void>;
}

/** An origin that is told of a request as soon as its head is in, and answers in bytes. */
export async function startRawOrigin(answer: (request: RawRequest) => unknown): Promise<RawOrigin> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => {
    sockets.add(socket);
    void serve(socket, answer);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

async function serve(socket: Socket, answer: (request: RawRequest) => unknown): Promise<void> {
  const wire = new Wire(socket);
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (;;) {
    const head = await wire.head();
    if (head === null) return;
    const [method = '', path = ''] = head.first.split(' ');
    const framing = framingOf(head.headers, { kind: 'none' });
    const request: RawRequest = {
      method,
      path,
      headers: head.headers,
      framing,
      socket,
      gone,
      body: () => wire.body(framing),
      async whole() {
        const parts: Buffer[] = [];
        for await (const part of wire.body(framing)) parts.push(part);
        return Buffer.concat(parts);
      },
      say: (raw) =>
        new Promise((resolve) =>
          socket.write(typeof raw === 'string' ? Buffer.from(raw, 'latin1') : raw, () => resolve()),
        ),
    };
    try {
      await answer(request);
    } catch (cause) {
      if (cause instanceof CutBody) return;
      // The client must not wait for what will not come.
      socket.destroy();
      throw cause;
    }
    if (socket.destroyed) return;
  }
}
