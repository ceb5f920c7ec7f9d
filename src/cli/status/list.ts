/** Owns the list of all routes, one line each, and what is refused on them. Pure. */

import { percent, shares, whole } from '../figures.ts';
import { type Column, tableLines } from '../print.ts';
import type { RouteStatus } from '../route.ts';
import { safe, wrap } from '../text.ts';
import { refusedWords } from './traffic.ts';

const columns: Column<RouteStatus>[] = [
  { title: 'route', cell: ({ name }) => name },
  { title: 'in force', cell: ({ inForce }) => shares(inForce.weights) },
  { title: 'by', cell: ({ inForce }) => (inForce.source === 'weights' ? 'hand' : inForce.source) },
  { title: 'rev', align: 'right', cell: ({ split }) => String(split.revision) },
  { title: 'requests', align: 'right', cell: (status) => whole(sumOf(status, 'requests')) },
  { title: 'failed', align: 'right', cell: (status) => percent(sumOf(status, 'failed') / sumOf(status, 'requests')) },
  {
    title: 'rollout',
    cell: ({ rollout, warnings = [] }) => (rollout === null ? (warnings[0] ?? '–') : rolloutWords(rollout)),
  },
];

/** Lines of a table, the head first, and below it weights by hand that are refused. */
export function listLines(statuses: readonly RouteStatus[], maxColumns: number): string[] {
  const refused = statuses.flatMap(refusedWords).flatMap((words) => wrap(`! ${safe(words)}`, maxColumns, '  '));
  return [...tableLines(columns, statuses, maxColumns), ...refused];
}

function rolloutWords({ to, phase, step, steps }: NonNullable<RouteStatus['rollout']>): string {
  return `to ${to}: ${phase}${phase === 'promoted' || phase === 'completed' ? '' : `, step ${step} of ${steps}`}`;
}

function sumOf({ live }: RouteStatus, member: 'requests' | 'failed'): number {
  return Object.values(live).reduce((sum, numbers) => sum + numbers[member], 0);
}
