/**
 * Owns the order of measurement: short slots in which one process alone is loaded, the bare Worker before and after each other
 * one, in rounds that run forwards and backwards by turns. Machine noise then hits both sides of every ratio.
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

/** What was seen of one target. Ratios are against the bare Worker; absolute figures are medians over the slots. */
export interface Seen {
  name: string;
  cpuUs: number;
  cpuRatio: Spread;
  p50Ms: number;
  p50Ratio: Spread;
  p99Ms: number;
  p99Ratio: Spread;
  perSecond: number;
}

type Slot = { cpuUs: number; p50Ms: number; p99Ms: number; perSecond: number };
const FIGURES = ['cpuUs', 'p50Ms', 'p99Ms'] as const;

/** Loads each target in turn, `plan.rounds` times. `reference` gives each subject the bare Worker under the same requests. */
export async function measure(
  load: ChildProcess,
  subjects: Target[],
  reference: Omit<Target, 'requests'>,
  plan: Plan,
): Promise<{ subjects: Seen[]; reference: Seen }> {
  const slots = new Map<string, Slot[]>(subjects.map(({ name }) => [name, []]));
  const ratios = new Map(subjects.map(({ name }) => [name, { cpuUs: [], p50Ms: [], p99Ms: [] } as Ratios]));
  const references: Slot[] = [];
  for (let round = 0; round < plan.rounds; round++) {
    const order = round % 2 === 0 ? subjects : subjects.toReversed();
    const bare = [await slot(load, { ...reference, requests: order[0]!.requests }, plan)];
    const seen: Slot[] = [];
    for (const subject of order) {
      seen.push(await slot(load, subject, plan));
      bare.push(await slot(load, { ...reference, requests: subject.requests }, plan));
    }
    references.push(...bare);
    for (const figure of FIGURES) {
      const values = againstNeighbours(
        seen.map((one) => one[figure]),
        bare.map((one) => one[figure]),
      );
      order.forEach(({ name }, index) => {
        ratios.get(name)![figure].push(values[index]!);
      });
    }
    order.forEach(({ name }, index) => {
      slots.get(name)!.push(seen[index]!);
    });
  }
  const one = { cpuUs: [1], p50Ms: [1], p99Ms: [1] };
  return {
    subjects: subjects.map(({ name }) => summary(name, slots.get(name)!, ratios.get(name)!)),
    reference: summary(reference.name, references, one),
  };
}

type Ratios = Record<(typeof FIGURES)[number], number[]>;

function summary(name: string, slots: Slot[], ratios: Ratios): Seen {
  const median = (figure: keyof Slot) =>
    quantile(
      slots.map((slot) => slot[figure]),
      0.5,
    );
  return {
    name,
    cpuUs: median('cpuUs'),
    cpuRatio: spreadOf(ratios.cpuUs),
    p50Ms: median('p50Ms'),
    p50Ratio: spreadOf(ratios.p50Ms),
    p99Ms: median('p99Ms'),
    p99Ratio: spreadOf(ratios.p99Ms),
    perSecond: median('perSecond'),
  };
}

async function slot(load: ChildProcess, target: Target, plan: Plan): Promise<Slot> {
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
