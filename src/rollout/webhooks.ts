/**
 * Owns the webhooks that tell other systems of transitions: JSON signed by HMAC, or a text for Slack. They are queued in storage, tried
 * again for a quarter of an hour, and nothing waits for them.
 */

import type { Config, Webhook } from '../config/types.ts';
import { hex } from '../digest.ts';
import type { Env } from '../env.ts';
import { hmac } from '../split/sign.ts';
import { FIRST_REPOST_MS, LEASE_MS, MAX_POSTS, POST_LIMIT_MS, POSTS_AT_ONCE } from './limits.ts';
import type { Meta } from './meta.ts';
import type { RouteView } from './route-source.ts';
import type { RolloutEvent } from './state.ts';

interface Queued extends Record<string, SqlStorageValue> {
  id: number;
  webhook: string;
  event: string;
  tries: number;
}

/** One route's queue. */
export class Webhooks {
  #sql: SqlStorage;
  #meta: Meta;
  #workers = new Set<Promise<void>>();

  constructor(sql: SqlStorage, meta: Meta) {
    this.#sql = sql;
    this.#meta = meta;
    sql.exec('CREATE TABLE IF NOT EXISTS webhooks (id INTEGER PRIMARY KEY AUTOINCREMENT, webhook, event, tries, atMs)');
  }

  /** Keeps the webhooks as they are when a rollout starts: a controller that wakes up without a config needs them to tell how it ends. */
  begin({ webhooks }: Pick<RouteView, 'webhooks'>): void {
    this.#meta.set('toldAtStart', webhooks);
  }

  /** Queues an event for every webhook, within a transaction, and marks the alarm. */
  queue({ isKnown, webhooks }: Pick<RouteView, 'isKnown' | 'webhooks'>, event: RolloutEvent, nowMs: number): void {
    const told = isKnown ? webhooks : (this.#meta.get<Config['webhooks']>('toldAtStart') ?? []);
    if (told.length > 0) this.#meta.mark('webhooks', nowMs + FIRST_REPOST_MS);
    for (const webhook of told) {
      this.#sql.exec(
        'INSERT INTO webhooks VALUES (NULL, ?, ?, 0, ?)',
        JSON.stringify(webhook),
        JSON.stringify(event),
        nowMs,
      );
    }
  }

  /** When the next try is due; null when the queue is empty. */
  nextAtMs(): number | null {
    const [row] = this.#sql.exec<{ atMs: number | null }>('SELECT min(atMs) AS atMs FROM webhooks');
    return row?.atMs ?? null;
  }

  /** Sends what is due, a few at a time, first tries before retries. Never rejects. */
  async send(env: Env): Promise<void> {
    while (this.#workers.size < POSTS_AT_ONCE) {
      const worker: Promise<void> = this.#work(env).finally(() => this.#workers.delete(worker));
      this.#workers.add(worker);
    }
    await Promise.all(this.#workers);
  }

  async #work(env: Env): Promise<void> {
    // Retries that fall due after this are left to the next `send`.
    const sinceMs = Date.now();
    for (let next = this.#take(sinceMs); next !== undefined; next = this.#take(sinceMs)) await this.#sendOne(next, env);
  }

  #take(sinceMs: number): Queued | undefined {
    const nowMs = Date.now();
    const sql = 'SELECT * FROM webhooks WHERE atMs <= iif(tries, ?, ?) ORDER BY tries, id LIMIT 1';
    const [queued] = this.#sql.exec<Queued>(sql, sinceMs, nowMs);
    if (queued !== undefined) this.#sql.exec('UPDATE webhooks SET atMs = ? WHERE id = ?', nowMs + LEASE_MS, queued.id);
    return queued;
  }

  async #sendOne({ id, webhook, event, tries }: Queued, env: Env): Promise<void> {
    const isSent = await deliver(JSON.parse(webhook) as Webhook, JSON.parse(event) as RolloutEvent, id, env);
    if (isSent || tries + 1 >= MAX_POSTS) {
      if (!isSent) console.error(`webhook ${id} is given up`);
      this.#sql.exec('DELETE FROM webhooks WHERE id = ?', id);
      return;
    }
    const retryAtMs = Date.now() + FIRST_REPOST_MS * 2 ** tries;
    this.#sql.exec('UPDATE webhooks SET tries = tries + 1, atMs = ? WHERE id = ?', retryAtMs, id);
  }
}

async function deliver(webhook: Webhook, event: RolloutEvent, id: number, env: Env): Promise<boolean> {
  const body = JSON.stringify(webhook.format === 'slack' ? { text: event.text } : event);
  // With the route: each controller counts from 1, and several may post to one URL. A route's name is safe in a header.
  const headers = new Headers({ 'content-type': 'application/json', 'x-headgate-delivery': `${event.route}-${id}` });
  try {
    if (webhook.secret !== undefined) {
      const secret = (env as unknown as Record<string, unknown>)[webhook.secret];
      if (typeof secret !== 'string') throw new Error(`the secret ${webhook.secret} is missing`);
      // As GitHub signs its own.
      headers.set('x-headgate-signature', `sha256=${hex(await hmac(body, secret))}`);
    }
    const signal = AbortSignal.timeout(POST_LIMIT_MS);
    const response = await fetch(webhook.url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.ok;
  } catch (cause) {
    console.warn(`webhook ${id}: ${cause}`);
    return false;
  }
}
