/**
 * Owns the config document: its writes, one after another, and its last 50 revisions. KV has no compare-and-swap, so the
 * instance named `config` is the one writer of the API, and KV is where it publishes. What an operator writes into KV by hand is
 * found there and kept as a revision too.
 */

import { contentHash } from '../config/hash.ts';
import { MAX_CONFIG_BYTES } from '../config/limits.ts';
import { parseConfig, sizeFault } from '../config/parse.ts';
import type { Config } from '../config/types.ts';
import { type Env, whatThisWorkerHas } from '../env.ts';
import { sleep, withLimit } from '../limit.ts';
import { err, type Fault, ok, type Result } from '../result.ts';
import { frozenByExperiment } from './frozen.ts';
import { BETWEEN_WRITES_MS, KV_LAG_MS, KV_READ_LIMIT_MS, KV_WRITE_LIMIT_MS, MAX_REVISIONS } from './limits.ts';
import { Turns } from './turns.ts';
import { iso, refused } from './words.ts';

/** One revision of the document as it is kept. */
export interface ConfigRevision {
  revision: number;
  /** Content hash: the ETag. */
  hash: string;
  text: string;
  actor: string;
  reason: string;
  at: string;
}

/** Why a config is not written. */
export type ConfigRefusal =
  | { code: 'stale'; hash: string | null }
  | { code: 'invalid'; faults: Fault[] }
  | { code: 'experiment_runs'; detail: string; mend: string }
  | { code: 'unpublished'; detail: string; mend: string };

/** Why a promotion is not in the config: also when the config no longer has the route. */
type PromotionRefusal = ConfigRefusal | { code: 'no_such_route'; detail: string };

/** A document that somebody wants in force. */
export interface ConfigWrite {
  text: string;
  /** The hash that the writer saw; null when it does not mind. */
  ifMatch: string | null;
  actor: string;
  reason: string;
}

/** A promotion: the route's new baseline and weights, and no shadow of the new baseline. */
export interface Promotion {
  route: string;
  baseline: string;
  weights: Record<string, number>;
  reason: string;
}

/** The document and its revisions. What KV does not take is refused as `unpublished`. */
export class ConfigKeeper {
  #sql: SqlStorage;
  #env: Env;
  #turns = new Turns();
  #next: Promise<ConfigRevision | null> | null = null;

  constructor(sql: SqlStorage, env: Env) {
    this.#sql = sql;
    this.#env = env;
    sql.exec('CREATE TABLE IF NOT EXISTS configs (revision INTEGER PRIMARY KEY, hash, text, actor, reason, atMs)');
  }

  /** The newest config, after a look at KV. Null when there never was one. A failed read of KV leaves the newest known. */
  current(): Promise<ConfigRevision | null> {
    // Two hundred routes may ask at once. One look serves all who wait for it, but not those who come when it has begun.
    this.#next ??= this.#turns.take(() => {
      this.#next = null;
      return this.#current();
    });
    return this.#next;
  }

  /** Replaces the config. Refused whole when it has a fault, or when somebody else wrote since. */
  put(write: ConfigWrite): Promise<Result<{ revision: ConfigRevision; warnings: Fault[] }, ConfigRefusal>> {
    return this.#turns.take(async () => {
      const current = await this.#current();
      if (write.ifMatch !== null && write.ifMatch !== (current?.hash ?? '')) {
        return err({ code: 'stale' as const, hash: current?.hash ?? null });
      }
      return this.#replace(write, current);
    });
  }

  /** Writes a promotion into the newest config, also into one with unknown keys. Refused when the config has faults, or no such route. */
  promote(promotion: Promotion): Promise<Result<{ revision: ConfigRevision; warnings: Fault[] }, PromotionRefusal>> {
    return this.#turns.take(async () => {
      const current = await this.#current();
      const text = current && promoted(current.text, promotion);
      if (text === null) {
        return err<PromotionRefusal>({ code: 'no_such_route', detail: `the config has no route ${promotion.route}` });
      }
      const { reason } = promotion;
      // Isolates serve by a document with unknown keys; whoever wrote it by hand must not lose the promotion for them.
      return this.#replace({ text, actor: 'controller', reason }, current, 'warn');
    });
  }

  /** The kept revisions, newest first, without their texts. */
  revisions(): Omit<ConfigRevision, 'text'>[] {
    return this.#rows('SELECT * FROM configs ORDER BY revision DESC').map(({ text: _, ...rest }) => rest);
  }

  /** A kept revision with its text; null where it is not kept. */
  revision(number: number): ConfigRevision | null {
    return this.#rows('SELECT * FROM configs WHERE revision = ?', number)[0] ?? null;
  }

  #newest(): ConfigRevision | undefined {
    return this.#rows('SELECT * FROM configs ORDER BY revision DESC LIMIT 1')[0];
  }

  async #current(): Promise<ConfigRevision | null> {
    const own = this.#newest();
    let text: string | null;
    try {
      text = await withLimit(this.#env.CONFIG.get('config', { type: 'text' }), KV_READ_LIMIT_MS);
    } catch {
      return own ?? null;
    }
    if (text === null || text.length > MAX_CONFIG_BYTES || text === own?.text) return own ?? null;
    const isOlder = this.#rows('SELECT * FROM configs WHERE hash = ?', contentHash(text)).length > 0;
    const isFresh = own !== undefined && own.actor !== 'KV' && Date.now() - Date.parse(own.at) < KV_LAG_MS;
    if (isOlder && isFresh) return own;
    // A faulty document in KV is not what isolates serve by, so it is not the config.
    if (!parseConfig(text, { unknownKeys: 'warn' }).ok) return own ?? null;
    return this.#keep({ text, actor: 'KV', reason: 'written into KV by hand' }, own?.revision ?? 0);
  }

  async #replace(
    write: Omit<ConfigWrite, 'ifMatch'>,
    current: ConfigRevision | null,
    unknownKeys: 'fault' | 'warn' = 'fault',
  ): Promise<Result<{ revision: ConfigRevision; warnings: Fault[] }, ConfigRefusal>> {
    // A promotion must not be lost for what some route lacks here: isolates serve by the document all the same.
    const surroundings = unknownKeys === 'fault' ? whatThisWorkerHas(this.#env) : {};
    const parsed = parseConfig(write.text, { unknownKeys, ...surroundings });
    if (!parsed.ok) return err({ code: 'invalid', faults: parsed.error });
    let writing: Promise<void> | undefined;
    try {
      const frozen = await this.#frozen(parsed.value.config, current?.text);
      if (frozen !== null) return frozen;
      writing = this.#write(write.text);
      await withLimit(writing, KV_WRITE_LIMIT_MS);
    } catch (cause) {
      // What was given up may land all the same, and over a newer one: then the newest is written again.
      const again = async () => {
        const own = this.#newest();
        if (own !== undefined) await withLimit(this.#env.CONFIG.put('config', own.text), KV_WRITE_LIMIT_MS);
      };
      writing?.then(() => this.#turns.take(again)).catch(() => {});
      return refused('unpublished', `KV did not take the change: ${cause}`, 'try again');
    }
    const revision = current?.text === write.text ? current : this.#keep(write, current?.revision ?? 0);
    return ok({ revision, warnings: parsed.value.warnings });
  }

  /** Writes into KV, once more where somebody wrote within the second that KV wants between two writes of a key. */
  async #write(text: string): Promise<void> {
    const put = () => this.#env.CONFIG.put('config', text);
    try {
      await put();
    } catch (cause) {
      if (!/\b429\b/.test(String(cause))) throw cause;
      await sleep(BETWEEN_WRITES_MS);
      await put();
    }
  }

  /** Why the weights of a route may not follow on those that its experiment runs by: where there is a split, it does not run by them. */
  async #frozen({ routes }: Config, text = '') {
    const before = parseConfig(text, { unknownKeys: 'warn' });
    if (!before.ok) return null;
    for (const route of before.value.config.routes) {
      const next = routes.find(
        ({ name, experiment }) => name === route.name && experiment?.id === route.experiment?.id,
      );
      const frozen = next && frozenByExperiment(route, next.weights, route.weights);
      if (frozen && !(await withLimit(this.#env.CONFIG.get(`split:${route.name}`), KV_READ_LIMIT_MS))) return frozen;
    }
    return null;
  }

  #keep(write: Omit<ConfigWrite, 'ifMatch'>, last: number): ConfigRevision {
    const { text, actor, reason } = write;
    const values = [last + 1, contentHash(text), text, actor, reason, Date.now()];
    const [kept] = this.#rows('INSERT INTO configs VALUES (?, ?, ?, ?, ?, ?) RETURNING *', ...values);
    this.#sql.exec('DELETE FROM configs WHERE revision <= ?', kept!.revision - MAX_REVISIONS);
    return kept!;
  }

  #rows(query: string, ...values: SqlStorageValue[]): ConfigRevision[] {
    type Row = Record<'revision' | 'atMs', number> & Record<'hash' | 'text' | 'actor' | 'reason', string>;
    return [...this.#sql.exec<Row>(query, ...values)].map(({ atMs, ...rest }) => ({ ...rest, at: iso(atMs) }));
  }
}

/** The document with the promotion in it; null when it has no such route. Only what changes is touched. */
function promoted(text: string, { route, baseline, weights }: Promotion): string | null {
  type Loose = Record<string, unknown> & { name?: string; shadows?: { variant?: string }[] };
  const document = JSON.parse(text) as { routes?: Loose[] };
  const entry = document.routes?.find(({ name }) => name === route);
  if (entry === undefined) return null;
  entry.baseline = baseline;
  entry.weights = weights;
  if (entry.shadows !== undefined) entry.shadows = entry.shadows.filter(({ variant }) => variant !== baseline);
  const legible = JSON.stringify(document, null, 2);
  return sizeFault(legible) ? JSON.stringify(document) : legible;
}
