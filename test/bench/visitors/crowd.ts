/**
 * Owns what the simulated visitors do: they come, some meet errors, come again, and report outcomes at once or much later, by receipt
 * or by cookie, some of them twice; midway the weights change. Each keeps a diary by what it was answered, and nothing else.
 */

import { hashUnit } from '../../../src/split/receipt.ts';
import { COOKIE_SECRET } from '../../worker/harness.ts';
import { seeded } from '../way-back-simulation.ts';
import type { Diary } from './count.ts';
import type { VisitorWorld } from './world.ts';

export interface Crowd {
  diaries: Diary[];
  /** Answers of a variant that was not the visitor's first. */
  moved: number;
  visits: number;
  outcomes: { byReceipt: number; byCookie: number; refusedTwice: number };
}

interface Visitor extends Diary {
  cookie: string;
  receipts: string[];
}

/** Something a visitor reports; `at` is when: right after the visit, or after all visits. */
interface Report {
  metric: 'helpful' | 'spend';
  value: boolean | number;
  by: 'receipt' | 'cookie';
  twice: boolean;
}

const FAULT_PERCENT = 15;

/** Lets `visitors` come, half of them before the weights change; ends when all was answered. */
export async function comeInCrowds(
  world: VisitorWorld,
  {
    visitors,
    sideBySide,
    seed,
    tell,
  }: { visitors: number; sideBySide: number; seed: number; tell: (said: string) => void },
): Promise<Crowd> {
  const crowd: Crowd = { diaries: [], moved: 0, visits: 0, outcomes: { byReceipt: 0, byCookie: 0, refusedTwice: 0 } };
  const random = seeded(seed);
  const known: Visitor[] = [];
  const late: (() => Promise<void>)[] = [];
  const play = new Play(world, crowd, random);
  const comeOnce = async () => {
    const visitor = await play.first();
    known.push(visitor);
    for (const report of play.reports(visitor)) {
      if (random() < 0.5) await play.report(visitor, report);
      else late.push(() => play.report(visitor, report));
    }
    if (random() < 0.2) await play.again(visitor);
  };
  await world.faults(FAULT_PERCENT);
  tell(`${Math.ceil(visitors / 2)} visitors at 50/50`);
  await all(
    Array.from({ length: Math.ceil(visitors / 2) }, () => comeOnce),
    sideBySide,
  );
  // Nobody waits until the isolate has heard of it: who comes meanwhile is dealt as before, and must be held against that.
  await world.setWeights({ blue: 85, green: 15 });
  const exposed = [...known];
  tell(`${Math.floor(visitors / 2)} more at 85/15, and the others once more`);
  const coming = Array.from({ length: Math.floor(visitors / 2) }, () => comeOnce);
  const returning = exposed.map((visitor) => () => play.again(visitor));
  await all(mixed([...coming, ...returning], random), sideBySide);
  tell(`${late.length} late outcomes, out of order`);
  await all(mixed(late, random), sideBySide);
  crowd.diaries = known;
  return crowd;
}

class Play {
  #world: VisitorWorld;
  #crowd: Crowd;
  #random: () => number;

  constructor(world: VisitorWorld, crowd: Crowd, random: () => number) {
    this.#world = world;
    this.#crowd = crowd;
    this.#random = random;
  }

  async first(): Promise<Visitor> {
    const { answer, failed } = await this.#visit({});
    const cookie = answer.header('set-cookie')!.split(';')[0]!;
    const unit = await hashUnit(cookie.split('=')[1]!.slice(0, 22), COOKIE_SECRET);
    const variant = answer.header('x-headgate-variant')!;
    const receipts = [answer.header('x-headgate-receipt')!];
    return { unit, variant, cookie, receipts, requests: 1, errors: failed ? 1 : 0, helpful: null, spent: null };
  }

  async again(visitor: Visitor): Promise<void> {
    const { answer, failed } = await this.#visit({ cookie: visitor.cookie });
    visitor.requests++;
    if (failed) visitor.errors++;
    if (answer.header('x-headgate-variant') !== visitor.variant) this.#crowd.moved++;
    visitor.receipts.push(answer.header('x-headgate-receipt')!);
  }

  async #visit(headers: Record<string, string>) {
    this.#crowd.visits++;
    const failed = this.#random() < 0.02;
    return { answer: await this.#world.ask('GET', failed ? '/broken' : '/page', headers), failed };
  }

  /** What a visitor will report: green is liked a little better, and spends as much. */
  reports({ variant }: Visitor): Report[] {
    const by = () => (this.#random() < 0.5 ? 'receipt' : 'cookie');
    const twice = this.#random() < 0.1;
    const reports: Report[] = [];
    if (this.#random() < 0.5) {
      const value = this.#random() < (variant === 'green' ? 0.6 : 0.5);
      reports.push({ metric: 'helpful', value, by: by(), twice });
    }
    if (this.#random() < 0.3) {
      // Quarters, so that every sum is exact in binary, and some beyond the cap.
      const value = Math.round(this.#random() * 200 - 10) / 4;
      reports.push({ metric: 'spend', value, by: by(), twice });
    }
    return reports;
  }

  async report(visitor: Visitor, { metric, value, by, twice }: Report): Promise<void> {
    const { receipts, cookie } = visitor;
    const receipt = receipts[Math.floor(this.#random() * receipts.length)];
    const outcome = { route: 'main', metric, value, ...(by === 'receipt' && { receipt }) };
    const headers: Record<string, string> = by === 'receipt' ? {} : { cookie };
    await this.#post(outcome, headers);
    if (by === 'receipt') this.#crowd.outcomes.byReceipt++;
    else this.#crowd.outcomes.byCookie++;
    if (metric === 'helpful') visitor.helpful = Math.max(visitor.helpful ?? 0, value ? 1 : 0);
    else visitor.spent = (visitor.spent ?? 0) + (value as number);
    // A second sending changes nothing: a receipt was used, and a conversion has happened. A number by cookie is another number.
    if (!twice || (by === 'cookie' && metric === 'spend')) return;
    await this.#post(outcome, headers);
    this.#crowd.outcomes.refusedTwice++;
  }

  /** Until it is taken. Where the answer was lost, the receipt has been used by the time it is sent again. */
  async #post(outcome: unknown, headers: Record<string, string>): Promise<void> {
    for (;;) {
      const { status, text } = await this.#world.ask('POST', '/_headgate/outcomes', headers, outcome);
      if (status === 200 || (status === 409 && text.includes('receipt_used'))) return;
      if (status !== 503) throw new Error(`an outcome was answered ${status}: ${text}`);
    }
  }
}

/** Runs all, so many at a time. */
async function all(work: readonly (() => Promise<void>)[], sideBySide: number): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < work.length) await work[next++]!();
  };
  await Promise.all(Array.from({ length: sideBySide }, one));
}

function mixed<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
