/**
 * Owns the order of measurement: short slots in which one process alone is loaded, the reference before and after each slot
 * of the subject. Both are then equally warm, and the machine's noise hits both sides of every ratio.
 */

import type { ChildProcess } from 'node:child_process';
import type { LoadOrder, LoadResult } from './load.ts';
import { cpuMs, nextMessage } from './processes.ts';
import { againstNeighbours, quantile, type Spread, spreadOf } from './ratios.ts';

/** Something that answers, with its process. */
export interface Target {
  name: string;
  pid: number;
  port: number;
  requests: string[];
}

export interface Plan {
  rounds: number;
  slotMs: number;
  perSecond?: number;
  connections: number;
}

/** What was seen of one target: medians over its slots. */
export interface Seen {
  cpuUs: number;
  p50Ms: number;
  p99Ms: number;
  /** Requests a second. */
  perSecond: number;
}

/** A subject beside its reference, with the ratios of their neighbouring slots. */
export interface Pair {
  subject: Seen;
  reference: Seen;
  ratios: { cpuUs: Spread; p50Ms: Spread; p99Ms: Spread };
}

/** Loads both in turn, `plan.rounds` times. */
export async function measure(load: ChildProcess, subject: Target, reference: Target, plan: Plan): Promise<Pair> {
  const references = [await slot(load, reference, plan)];
  const subjects: Seen[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    subjects.push(await slot(load, subject, plan));
    references.push(await slot(load, reference, plan));
  }
  const ratioOf = (figure: keyof Seen) => {
    const of = (slots: Seen[]) => slots.map((one) => one[figure]);
    return spreadOf(againstNeighbours(of(subjects), of(references)));
  };
  return {
    subject: medians(subjects),
    reference: medians(references),
    ratios: { cpuUs: ratioOf('cpuUs'), p50Ms: ratioOf('p50Ms'), p99Ms: ratioOf('p99Ms') },
  };
}

function medians(slots: Seen[]): Seen {
  const median = (figure: keyof Seen) =>
    quantile(
      slots.map((slot) => slot[figure]),
      0.5,
    );
  return { cpuUs: median('cpuUs'), p50Ms: median('p50Ms'), p99Ms: median('p99Ms'), perSecond: median('perSecond') };
}

async function slot(load: ChildProcess, target: Target, plan: Plan): Promise<Seen> {
  const { slotMs: ms, connections, perSecond } = plan;
  const order: LoadOrder = { port: target.port, requests: target.requests, ms, connections, perSecond };
  const before = cpuMs(target.pid);
  const startMs = performance.now();
  const answered = nextMessage<LoadResult>(load);
  load.send(order);
  const result = await answered;
  const spentMs = cpuMs(target.pid) - before;
  if (result.refused > 0 || result.requests === 0) {
    throw new Error(`${target.name}: ${result.refused} of ${result.requests} answers were not 200`);
  }
  const { requests, p50Ms, p99Ms } = result;
  const seconds = (performance.now() - startMs) / 1000;
  return { cpuUs: (spentMs * 1000) / requests, p50Ms, p99Ms, perSecond: requests / seconds };
}
