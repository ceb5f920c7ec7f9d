/** Owns the choice of a port on the loopback address. It reserves nothing: who asks must listen soon. */

import { createServer } from 'node:net';
import { err, ok, type Result } from '../result.ts';

const TRIES = 20;

/** The port asked for, or the first free one from `from` on. A sentence, which names `command`, when it is taken or none is free. */
export async function choosePort(
  asked: number | null,
  from: number,
  command = 'npm start',
): Promise<Result<number, string>> {
  if (asked !== null) {
    if (await isFree(asked)) return ok(asked);
    return err(`Port ${asked} is taken by another program. Choose another: ${command} -- --port ${asked + 1}`);
  }
  for (let port = from; port < from + TRIES; port++) {
    if (await isFree(port)) return ok(port);
  }
  return err(`Ports ${from} to ${from + TRIES - 1} are all taken. Choose another: ${command} -- --port N`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
