/** Owns the choice of a port for a program that can only be told one. */

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ports that kernels give to whoever asks for any (from 32,768 on), so that no server beside us is given it meanwhile. */
const [FROM, TO] = [12_000, 32_000];

/** A port of the loopback address that is free, and that only somebody who asks for it by number can take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO);
    const server = createServer();
    const free = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    if (!(await free)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
