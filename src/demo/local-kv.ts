/**
 * Owns the way from Node into the KV that wrangler keeps on this machine. It opens it for a moment while no Worker runs:
 * starting `wrangler kv` for each key would cost seconds.
 */

import { join, resolve } from 'node:path';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import type { KeyValue } from './seed.ts';

/** Gives `use` the namespace `CONFIG` of a state directory (wrangler's `--persist-to`), and closes it again. */
export async function withLocalKv<T>(stateDirectory: string, use: (kv: KeyValue) => Promise<T>): Promise<T> {
  const options = {
    modules: true as const,
    script: 'export default {}',
    // A namespace without an `id` in wrangler.toml goes by its binding's name locally.
    kvNamespaces: { CONFIG: 'CONFIG' },
    resourcePersistencePath: join(resolve(stateDirectory), 'v3'),
    cf: false as const,
    port: 0,
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  try {
    const kv = await miniflare.getKVNamespace('CONFIG');
    return await use(kv as unknown as KeyValue);
  } finally {
    await miniflare.dispose();
  }
}
