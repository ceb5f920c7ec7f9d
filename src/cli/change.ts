/**
 * Owns how a verb makes a change: it shows what will change, asks for confirmation on a terminal, and says afterwards what was done. Without
 * a terminal nobody is asked: whoever wrote the script meant what it says. `--dry-run` never acts.
 */

import { shares } from './figures.ts';
import type { ChangedRoute, RouteStatus } from './route.ts';
import { Stop, usage } from './stop.ts';
import type { Terminal } from './terminal.ts';
import { safe } from './text.ts';
import type { CommonArgs, RouteWriteArgs, WriteArgs } from './verb.ts';

interface Change {
  /** The change as an imperative, without a full stop: `Switch detect to green`. */
  what: string;
  /** What is and what will be, line by line. */
  lines: readonly string[];
  /** The same for programs; printed by `--dry-run --json`. */
  data: Record<string, unknown>;
}

/** Whether to make the change. False after `--dry-run` has shown it. Throws `Stop` (exit 1) if a person says no, so that `&&` stops. */
export async function isMeant(
  change: Change,
  args: Pick<WriteArgs, 'yes' | 'dry-run'> & Pick<CommonArgs, 'json'>,
  terminal: Terminal,
): Promise<boolean> {
  const { what, lines, data } = change;
  if (args['dry-run']) {
    if (args.json) terminal.out(JSON.stringify({ dryRun: true, what, ...data }, null, 2));
    else terminal.out([`Would do: ${what}`, ...lines, terminal.paint.dim('Nothing was changed.')].join('\n'));
    return false;
  }
  if (args.yes || terminal.confirm === null) return true;
  if (lines.length > 0) terminal.note(lines.join('\n'));
  if (await terminal.confirm(`${what}?`)) return true;
  throw new Stop({ exitCode: 1, code: 'declined', what: 'Nothing was changed.' });
}

/** The revision that a change of traffic is bound to: `--if-match`, else the one that was just shown (`shown`), else any. */
export function ifMatchOf(
  args: RouteWriteArgs,
  status: RouteStatus | null,
  bound: 'shown' | 'any',
): Record<string, string> {
  const named = args['if-match'];
  const now = status?.split.revision;
  if (named !== undefined && !/^"?\d{1,15}"?$/.test(named)) {
    const mend = `headgate status shows it${now === undefined ? '' : `; now it is ${now}`}`;
    throw usage('--if-match is the revision of a split.', mend);
  }
  const revision = named?.replaceAll('"', '') ?? (bound === 'shown' ? String(now) : undefined);
  if (args['dry-run'] && revision !== undefined && now !== undefined && Number(revision) !== now) {
    const what = `The split is at revision ${now} now, not ${revision}.`;
    throw new Stop({ exitCode: 1, code: 'stale', what, mend: 'look at headgate status, then decide' });
  }
  return revision === undefined ? {} : { 'if-match': `"${revision}"` };
}

/** Whether somebody will see what is going to change. Then it must not promise what the Worker will refuse; a script just lets it refuse. */
export function isShown(args: WriteArgs & CommonArgs, { confirm }: Terminal): boolean {
  return args['dry-run'] === true || (confirm !== null && args.yes !== true);
}

/** Throws what the Worker would refuse to a verb that moves traffic: weights by hand, also a refused text of them, or a running rollout. */
export function refuseBusy({ name, byHand, byHandFault, rollout }: RouteStatus): void {
  if (byHand ?? byHandFault) {
    const what = `Weights set by hand decide (weights:${name}).`;
    throw new Stop({ exitCode: 1, code: 'manual', what, mend: `end them first: headgate manual clear ${name}` });
  }
  if (rollout === null || !isRunning(rollout)) return;
  const what = `Rollout ${rollout.id} to ${rollout.to} is ${rollout.phase}.`;
  const mend = `end it first: headgate rollout abort ${name}, or headgate rollback ${name}`;
  throw new Stop({ exitCode: 1, code: 'rollout_running', what, mend });
}

/** Whether a rollout has not ended. */
export function isRunning({ phase }: NonNullable<RouteStatus['rollout']>): boolean {
  return ['progressing', 'paused', 'awaiting-approval'].includes(phase);
}

/** `before → after` of weights and shadows, for a person who is about to confirm. */
export function trafficLines(
  { inForce, split }: RouteStatus,
  after: { weights?: Record<string, number>; shadows?: Record<string, number> },
): string[] {
  const lines = [`  now    ${shares(inForce.weights)}   (revision ${split.revision})`];
  if (after.weights !== undefined) lines.push(`  then   ${shares(after.weights)}`);
  if (after.shadows !== undefined && shares(after.shadows) !== shares(inForce.shadows)) {
    lines.push(`  mirrored now ${shares(inForce.shadows)}, then ${shares(after.shadows)}`);
  }
  return lines;
}

/** Says what was done: one line, the warnings, and what to do next. */
export function printChanged(
  changed: ChangedRoute,
  { done, next }: { done: string; next?: string },
  args: CommonArgs,
  terminal: Terminal,
): 0 {
  const { green, yellow, dim } = terminal.paint;
  if (args.json) {
    terminal.out(JSON.stringify(changed, null, 2));
    return 0;
  }
  const { split, inForce } = changed;
  // Of a route that the config has no more, or that cannot be read, only what was done is known.
  const traffic = split === undefined ? '' : `: ${shares(inForce.weights)} (revision ${split.revision})`;
  terminal.out(`${green('✓')} ${done}${traffic}`);
  for (const warning of changed.warnings) terminal.note(`${yellow('!')} ${safe(warning)}`);
  if (next !== undefined) terminal.out(`  ${dim('→')} ${next}`);
  return 0;
}
