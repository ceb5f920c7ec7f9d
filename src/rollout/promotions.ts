/**
 * Owns what is still to be written into the config about a route: baseline and weights of a promotion, or of the way back from one. It is
 * kept until the config has it, or refuses it for good. It moves no traffic.
 */

import type { Route } from '../config/types.ts';
import { configKeeperOf, type Env } from '../env.ts';
import { err } from '../result.ts';
import type { Promotion } from './config-keeper.ts';
import type { Entry } from './journal.ts';
import { RETRY_MS } from './limits.ts';
import type { Meta } from './meta.ts';
import type { RouteSource } from './route-source.ts';

/** What it needs of the controller. */
interface Owner {
  env: Env;
  source: RouteSource;
  write(entry: Omit<Entry, 'at'>, nowMs: number): void;
}

/** What one route still owes the config. */
export class Promotions {
  #meta: Meta;
  #owner: Owner;

  constructor(meta: Meta, owner: Owner) {
    this.#meta = meta;
    this.#owner = owner;
  }

  /** What is still to be written; a later promotion takes the place of an earlier one. */
  get owed(): Promotion | null {
    return this.#meta.get<Promotion>('promotion');
  }

  /** The baseline of the next split: the config's, as it is or is going to be; `before` where the config refused that one. */
  nextBaseline(route: Route, before: string): string {
    if (route.baseline === this.#meta.get('untold')) return before;
    return this.owed?.baseline ?? route.baseline;
  }

  /** Looks at the config's baseline: once somebody has changed it after a refusal, it counts again. */
  seen(route: Route | null): void {
    const untold = this.#meta.get('untold');
    if (untold !== null && route !== null && route.baseline !== untold) this.#meta.delete('untold');
  }

  /** Notes what must be written, within a transaction. The alarm tries until it is done. */
  owe(promotion: Promotion, nowMs: number): void {
    this.#meta.set('promotion', promotion);
    this.#meta.mark('promotion', nowMs + RETRY_MS);
  }

  /** Writes it into the config. On failure it is kept, and tried again by the alarm. */
  async tell(): Promise<void> {
    const promotion = this.owed;
    if (promotion === null) return this.#meta.wake('promotion', null);
    const written = await configKeeperOf(this.#owner.env)!
      .promote(promotion)
      .catch((cause: unknown) => err({ code: 'unpublished' as const, detail: String(cause) }));
    // By now another may be owed, which has an alarm of its own.
    if (JSON.stringify(this.owed) !== JSON.stringify(promotion)) return;
    if (!written.ok && written.error.code === 'unpublished') {
      console.warn(`route ${promotion.route}: the config is behind: ${written.error.detail}`);
      return this.#meta.wake('promotion', Date.now() + RETRY_MS);
    }
    this.#meta.delete('promotion');
    this.#meta.delete('untold');
    // A config that refuses it (it has faults by now, or no such route) would refuse it later too.
    if (!written.ok) {
      const { baseline, weights } = promotion;
      const why = JSON.stringify(written.error).slice(0, 500);
      const reason = `the config could not be told of the new baseline ${baseline}: ${why}`;
      const entry = { actor: 'controller', action: 'config-unwritten', reason, before: null };
      this.#meta.set('untold', this.#owner.source.view.route?.baseline ?? '');
      this.#owner.write({ ...entry, after: { baseline, weights } }, Date.now());
    }
    return this.#meta.wake('promotion', null);
  }
}
