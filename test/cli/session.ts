/** What the CLI tests share: a terminal that remembers, a directory of its own, and the admin app on a real socket. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createColors } from 'picocolors';
import { run } from '../../src/cli/run.ts';
import type { Terminal } from '../../src/cli/terminal.ts';

export class Session {
  readonly cwd = mkdtempSync(join(tmpdir(), 'headgate-cli-'));
  out = '';
  notes = '';
  env: Record<string, string | undefined> = {};
  columns = Number.POSITIVE_INFINITY;
  rows = Number.POSITIVE_INFINITY;
  now: Terminal['now'] = () => Date.now();
  fetch: typeof fetch = (...call) => fetch(...call);
  sleep: Terminal['sleep'] = async () => undefined;
  confirm: Terminal['confirm'] = null;
  colours = false;

  /** Runs one command line; `out` and `notes` then hold what it printed. */
  async run(...argv: string[]): Promise<number> {
    this.out = '';
    this.notes = '';
    return run(argv, {
      out: (text) => {
        this.out += `${text}\n`;
      },
      note: (text) => {
        this.notes += `${text}\n`;
      },
      env: this.env,
      cwd: this.cwd,
      columns: this.columns,
      rows: this.rows,
      now: () => this.now(),
      paint: createColors(this.colours),
      fetch: this.fetch,
      sleep: this.sleep,
      confirm: this.confirm,
    });
  }

  write(file: string, content: unknown): string {
    const path = join(this.cwd, file);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
  }

  text(file: string): string {
    return readFileSync(join(this.cwd, file), 'utf8');
  }

  read(file: string): unknown {
    return JSON.parse(this.text(file));
  }

  end(): void {
    rmSync(this.cwd, { recursive: true, force: true });
  }
}

/** An address on this machine where nothing listens. */
export async function nobody(): Promise<string> {
  const gone = await serve(() => new Response());
  await gone.close();
  return gone.url;
}

/** Serves a fetch handler over node's own sockets. */
export async function serve(answer: (request: Request) => Response | Promise<Response>) {
  const server: Server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = 'GET', headers, url = '/' } = incoming;
    const request = new Request(`http://${headers.host}${url}`, {
      method,
      headers: Object.entries(headers).map(([name, value]) => [name, String(value)]),
      ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
    });
    const response = await answer(request);
    outgoing.writeHead(response.status, Object.fromEntries(response.headers));
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
