/** Owns `headgate status`: all routes in a table, one route as a picture, live with `--watch`, to its end with `--wait`. */

import { durationMs } from '../../config/duration.ts';
import { type Connected, connect } from '../client.ts';
import { shares } from '../figures.ts';
import { LiveView } from '../live-view.ts';
import { lookAt, type RouteStatus, routeStatuses } from '../route.ts';
import { columnsOfScreen } from '../screen.ts';
import { listLines } from '../status/list.ts';
import { statusLines } from '../status/view.ts';
import { type ExitCode, Stop, usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb } from '../verb.ts';
import { exitOf, LOOK_MS, patiently, refuseTakenBack, sameRollout, withLookLimit } from '../wait.ts';

interface Watching {
  route: string | undefined;
  wait: boolean;
  json: boolean;
  untilApproval: boolean;
  /** When to give up waiting, by the terminal's clock. */
  deadlineMs: number;
}

export const status = verb({
  summary:
    'Show every route, or one with its split, live numbers and rollout; live with --watch, to its end with --wait',
  args: {
    route: { type: 'positional', required: false, description: 'Only this route, in full' },
    watch: { type: 'boolean', description: 'A live view, drawn over itself; Ctrl-C ends it' },
    wait: { type: 'boolean', description: 'Wait for the rollout’s end: exit 0 promoted, 3 aborted, 4 paused' },
    'until-approval': { type: 'boolean', description: 'With --wait: exit 4 also when it awaits approval' },
    timeout: { type: 'string', description: 'With --wait: exit 1 after so long', valueHint: 'DURATION' },
  },
  async run(args, terminal) {
    const { route, watch = false, wait = false, json = false } = args;
    if (wait && !route) throw usage('--wait needs a route.', 'headgate status ROUTE --wait');
    const timeoutMs = args.timeout ? durationMs(args.timeout) : Number.POSITIVE_INFINITY;
    if (timeoutMs === null) throw usage(`${args.timeout} is no duration.`, 'such as --timeout 2h');
    if (!wait && (args['until-approval'] || args.timeout)) {
      throw usage('--until-approval and --timeout belong to --wait.', `headgate status ${route ?? 'ROUTE'} --wait`);
    }
    if (!watch && !wait) {
      print(await lookOf(route, connect(args, terminal)), route, json, terminal);
      return 0;
    }
    const deadlineMs = terminal.now() + timeoutMs;
    const connected = connect(args, withLookLimit(terminal, deadlineMs));
    const look = () => lookOf(route, connected);
    const watching: Watching = { route, wait, json, untilApproval: args['until-approval'] === true, deadlineMs };
    return watch ? liveView(look, watching, terminal) : waitFor(look, watching, terminal);
  },
});

async function lookOf(route: string | undefined, connected: Connected): Promise<RouteStatus[]> {
  return route ? [await lookAt(route, connected)] : routeStatuses(connected);
}

const noRoute =
  'No route: no valid config, or none in it. headgate doctor lists the faults of a config, headgate init URL writes a first one.';

function print(statuses: RouteStatus[], route: string | undefined, json: boolean, terminal: Terminal): void {
  if (json) terminal.out(JSON.stringify(route ? statuses[0] : { routes: statuses }, null, 2));
  else if (statuses.length === 0) terminal.note(noRoute);
  else terminal.out(linesOf(statuses, route, terminal).join('\n'));
}

function linesOf(statuses: RouteStatus[], route: string | undefined, { columns, paint, now }: Terminal): string[] {
  if (!route) return listLines(statuses, columns);
  return statusLines(statuses[0]!, { columns: columnsOfScreen({ columns }), paint, nowMs: now() });
}

/** Looks until there is a reason to end. `each` sees every look. */
async function follow(
  look: () => Promise<RouteStatus[]>,
  each: (statuses: RouteStatus[]) => void,
  { route, wait, untilApproval, deadlineMs }: Watching,
  terminal: Terminal,
): Promise<ExitCode> {
  let id: string | undefined;
  let looking = look;
  for (;;) {
    const statuses = await looking();
    // A mistyped route is refused at once; only a Worker that has answered before is waited for.
    looking = patiently(look, terminal, deadlineMs);
    each(statuses);
    if (wait) {
      const rollout = sameRollout(route!, statuses[0]!.rollout, id);
      id = rollout.id;
      const exit = exitOf(rollout.phase, untilApproval);
      refuseTakenBack(statuses[0]!, rollout);
      if (exit !== undefined) return exit;
      if (terminal.now() >= deadlineMs) {
        const what = `Rollout ${rollout.id} is still ${rollout.phase}.`;
        throw new Stop({ exitCode: 1, code: 'timeout', what, why: `It waits for ${rollout.waitsFor}.` });
      }
    }
    await terminal.sleep(LOOK_MS);
  }
}

function liveView(look: () => Promise<RouteStatus[]>, watching: Watching, terminal: Terminal): Promise<ExitCode> {
  const view = new LiveView(terminal);
  const draw = (statuses: RouteStatus[]) => {
    if (watching.json) terminal.out(JSON.stringify(watching.route ? statuses[0] : { routes: statuses }));
    else view.show(linesOf(statuses, watching.route, terminal), JSON.stringify(statuses.map(keyOf)));
  };
  return follow(look, draw, watching, terminal);
}

/** What a log should show the picture again for. */
function keyOf({ split, byHand, byHandFault, rollout }: RouteStatus) {
  const said = rollout && [rollout.id, rollout.phase, rollout.step, rollout.guardrails.map(({ verdict }) => verdict)];
  return [split.revision, byHand, byHandFault, said];
}

/** For CI: one line for each thing that happens, and the whole picture at the end. */
async function waitFor(look: () => Promise<RouteStatus[]>, watching: Watching, terminal: Terminal): Promise<ExitCode> {
  let said = '';
  let newest: RouteStatus[] = [];
  const each = (statuses: RouteStatus[]) => {
    newest = statuses;
    const [{ rollout, inForce }] = statuses as [RouteStatus];
    if (rollout === null) return;
    const { id, phase, step, steps, reason } = rollout;
    const line = `${id} ${phase}, step ${step} of ${steps}: ${shares(inForce.weights)}. ${reason}`;
    if (line !== said) terminal.note(line);
    said = line;
  };
  const exit = await follow(look, each, watching, terminal);
  print(newest, watching.route, watching.json, terminal);
  return exit;
}
