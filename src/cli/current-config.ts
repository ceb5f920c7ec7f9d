/** Owns the config that is in force, as verbs that replace it see it: its text, and the ETag that binds a change to it. */

import type { Fault } from '../result.ts';
import type { Connected } from './client.ts';
import type { RouteStatus } from './route.ts';
import { Stop } from './stop.ts';

export interface CurrentConfig {
  /** Null where there is none yet. */
  document: Record<string, unknown> | null;
  /** The content hash, without quotes; null where there is none. */
  hash: string | null;
}

export async function currentConfig({ client, replyOf }: Connected): Promise<CurrentConfig> {
  try {
    const reply = await replyOf(client.api.config.$get());
    const hash = reply.headers.get('etag')?.replaceAll('"', '') ?? null;
    return { document: JSON.parse(await reply.text()), hash };
  } catch (cause) {
    if (cause instanceof Stop && cause.trouble.code === 'no_config') return { document: null, hash: null };
    throw cause;
  }
}

/** `If-Match` of a config write: the hash that a person names, else the one that was read. Empty where there was no config. */
export function ifMatchOfConfig(named: string | undefined, { hash }: CurrentConfig): Record<string, string> {
  const bound = named?.replaceAll('"', '') ?? hash;
  return bound === null ? {} : { 'if-match': `"${bound}"` };
}

/** Where weights in the document will not be served, since something else is in force. */
export function overridden(routes: readonly { name: string }[], statuses: readonly RouteStatus[]): Fault[] {
  return routes.flatMap(({ name }, index): Fault[] => {
    const status = statuses.find((one) => one.name === name);
    if (status === undefined) return [];
    const path = `routes[${index}].weights`;
    const { byHand, split } = status;
    if (byHand !== null) {
      return [{ path, reason: 'weights set by hand beat them', mend: `headgate manual clear ${name}` }];
    }
    if (split.revision === 0) return [];
    const weights = Object.entries(split.weights).map(([variant, percent]) => `${variant}=${percent}`);
    const reason = `split ${split.revision} (${weights.join(' ')}) beats them`;
    return [{ path, reason, mend: `headgate weights ${name} … changes what is in force` }];
  });
}
