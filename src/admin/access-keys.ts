/**
 * Owns the public keys with which Cloudflare Access signs: fetched from the team's address, and kept as values for as long as they
 * may be trusted. It verifies nothing. It fails closed: a key that cannot be had is no key.
 */

import { readText } from '../body-text.ts';
import { sleep } from '../limit.ts';
import { err, ok, type Result } from '../result.ts';

/** The public half of an RSA key, as a JSON Web Key has it. */
export interface PublicKey {
  kty: 'RSA';
  kid: string;
  n: string;
  e: string;
}

/** `unknown`: the team has no such key. `unreachable`: nobody can tell now. */
export type KeyFault = 'unknown' | 'unreachable';

/** After this the keys are fetched again; Access goes on with a key for a week after it has a new one. */
const FRESH_MS = 3_600_000;
/** Keys that could not be looked at again for so long are trusted no more. */
const TRUSTED_MS = 24 * 3_600_000;
/** A token can name any key: made-up names must not become a flood of requests to Access. */
const ASK_AGAIN_MS = 60_000;
/** After a failure; but for that, a cold isolate would stay closed for a minute. */
const RETRY_MS = 5_000;
const FETCH_LIMIT_MS = 3_000;
const LOOK_MS = 20;
const MAX_BYTES = 64 * 1024;

export interface World {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  now: () => number;
  sleep: (ms: number) => Promise<unknown>;
}

const here: World = {
  fetch: (url, init) => fetch(url, init),
  now: () => Date.now(),
  sleep,
};

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

  constructor(world: World = here) {
    this.#world = world;
  }

  /** The key that a token of the team names. */
  async find(team: string, kid: unknown): Promise<Result<PublicKey, KeyFault>> {
    if (team !== this.#team) {
      this.#team = team;
      this.#keys = [];
      this.#fetchedMs = this.#endedMs = -Infinity;
    }
    if (this.#of(kid) === undefined || this.#ageMs() > FRESH_MS) await this.#refresh(team);
    const key = this.#ageMs() > TRUSTED_MS ? undefined : this.#of(kid);
    if (key !== undefined) return ok(key);
    return err(this.#hasFailed ? 'unreachable' : 'unknown');
  }

  #of(kid: unknown): PublicKey | undefined {
    return this.#keys.find((key) => key.kid === kid);
  }

  #ageMs(): number {
    return this.#world.now() - this.#fetchedMs;
  }

  /** One fetch at a time: others look until it has ended, since requests may share values, but no promise. */
  async #refresh(team: string): Promise<void> {
    const now = this.#world.now;
    // Whoever asked may have left in the meantime, so others wait for as long as a fetch may last.
    const isUnderWay = () => now() - this.#askedMs < FETCH_LIMIT_MS + 10 * LOOK_MS;
    if (isUnderWay()) {
      while (isUnderWay()) await this.#world.sleep(LOOK_MS);
      return;
    }
    if (now() - this.#endedMs < (this.#hasFailed ? RETRY_MS : ASK_AGAIN_MS)) return;
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
    const signal = AbortSignal.timeout(FETCH_LIMIT_MS);
    const response = await this.#world.fetch(`${team}/cdn-cgi/access/certs`, { redirect: 'manual', signal });
    if (response.status !== 200) throw new Error(`Access answered ${response.status}`);
    const text = await readText(response, MAX_BYTES);
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
