/**
 * Owns what `npm start` writes into local KV: the demo's config, when there is none or only an older demo's. A config that a
 * person put there is never overwritten, nor judged.
 */

import { createHash } from 'node:crypto';

/** The part of a KV namespace that is needed here, so that a test can give a Map. */
export interface KeyValue {
  get(key: string): Promise<string | null>;
  getWithMetadata(key: string): Promise<{ value: string | null; metadata: unknown }>;
  put(key: string, value: string, options: { metadata: unknown }): Promise<void>;
}

export interface Seeded {
  /** `kept` is a config that is not ours. */
  config: 'written' | 'unchanged' | 'kept';
  text: string;
}

/** Writes `text` under `config` unless a person's config is there. What we wrote is known by its hash in the metadata. */
export async function seedConfig(kv: KeyValue, text: string): Promise<Seeded> {
  const { value, metadata } = await kv.getWithMetadata('config');
  if (value !== null) {
    if (value === text) return { config: 'unchanged', text };
    // wrangler and the admin API write no such metadata, and an edit of our text no longer has its hash.
    if (seedOf(metadata) !== sha256(value)) return { config: 'kept', text: value };
  }
  await kv.put('config', text, { metadata: { demoSeed: sha256(text) } });
  return { config: 'written', text };
}

function seedOf(metadata: unknown): unknown {
  return typeof metadata === 'object' && metadata !== null && 'demoSeed' in metadata ? metadata.demoSeed : undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
