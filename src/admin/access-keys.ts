/**
 * Owns the public keys with which Cloudflare Access signs: fetched from the team's address, and kept as values for as long as they may be
 * trusted. It verifies nothing. It fails closed: without the key there is no way in.
 */

import { readText } from '../body-text.ts';
import { sleep } from '../limit.ts';
import { err, ok, type Result } from '../result.ts';
import {
  KEYS_AGAIN_MS,
  KEYS_FRESH_MS,
  KEYS_LIMIT_MS,
  KEYS_LOOK_MS,
  KEYS_RETRY_MS,
  KEYS_TRUSTED_MS,
  MAX_KEYS_BYTES,
} from './limits.ts';

/** The public half of an RSA key, as a JSON Web Key has it. */
export interface PublicKey {
  kty: 'RSA';
  kid: string;
  n: string;
  e: string;
}

/** `unknown`: the team has no such key. `unreachable`: nobody can tell now. */
export type KeyFault = 'unknown' | 'unreachable';

/** What it needs from outside. */
export interface World {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  now: () => number;
  sleep: (ms: number) => Promise<unknown>;
}

const realWorld: World = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  sleep,
};

/** One isolate's keys, of one team. A failed fetch is a value. */
export class AccessKeys {
  #world: World;
  #team = '';
  #keys: PublicKey[] = [];
  #fetchedMs = -Infinity;
  /** When the fetch began that is under way. */
  #askedMs = -Infinity;
  /** When the last one ended, and how. */
  #endedMs = -Infinity;
  #hasFailed = false;

  constructor(world: World = realWorld) {
    this.#world = world;
  }

  /** The key that a token of the team names. */
  async find(team: string, kid: unknown): Promise<Result<PublicKey, KeyFault>> {
    if (team !== this.#team) {
      this.#team = team;
      this.#keys = [];
      this.#fetchedMs = this.#endedMs = -Infinity;
    }
    if (this.#of(kid) === undefined || this.#ageMs() > KEYS_FRESH_MS) await this.#refresh(team);
    const key = this.#ageMs() > KEYS_TRUSTED_MS ? undefined : this.#of(kid);
    if (key !== undefined) return ok(key);
    return err(this.#hasFailed ? 'unreachable' : 'unknown');
  }

  #of(kid: unknown): PublicKey | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }

  #ageMs(): number {
    return this.#world.now() - this.#fetchedMs;
  }

  /** One fetch at a time. Other requests poll until it has ended, since requests may share values but no promise. */
  async #refresh(team: string): Promise<void> {
    const now = this.#world.now;
    // The request that fetches may have been cut off, so others wait no longer than a fetch may last.
    const isUnderWay = () => now() - this.#askedMs < KEYS_LIMIT_MS + 10 * KEYS_LOOK_MS;
    if (isUnderWay()) {
      while (isUnderWay()) await this.#world.sleep(KEYS_LOOK_MS);
      return;
    }
    if (now() - this.#endedMs < (this.#hasFailed ? KEYS_RETRY_MS : KEYS_AGAIN_MS)) return;
    this.#askedMs = now();
    const keys = await this.#fetched(team).catch((cause: unknown) => {
      console.error('access keys', cause);
      return null;
    });
    this.#askedMs = -Infinity;
    this.#endedMs = now();
    this.#hasFailed = keys === null;
    if (keys === null) return;
    this.#keys = keys;
    this.#fetchedMs = this.#endedMs;
  }

  async #fetched(team: string): Promise<PublicKey[]> {
    const signal = AbortSignal.timeout(KEYS_LIMIT_MS);
    const response = await this.#world.fetch(`${team}/cdn-cgi/access/certs`, { redirect: 'manual', signal });
    if (response.status !== 200) throw new Error(`Access answered ${response.status}`);
    const text = await readText(response, MAX_KEYS_BYTES);
    if (text === null) throw new Error('the keys are too large');
    const { keys } = JSON.parse(text) as { keys: Record<string, unknown>[] };
    return keys.filter(isForTokens);
  }
}

/** RSA keys with a name that are for signatures, by RS256 where they say so. */
function isForTokens(key: Record<string, unknown>): key is Record<string, unknown> & PublicKey {
  const { kty, kid, n, e, use = 'sig', alg = 'RS256' } = key;
  return kty === 'RSA' && use === 'sig' && alg === 'RS256' && [kid, n, e].every((one) => typeof one === 'string');
}
