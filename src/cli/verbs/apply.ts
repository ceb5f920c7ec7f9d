/**
 * Owns `headgate apply FILE`: puts a config in force. The file is checked first and shown as what changes on which route, and the write is
 * bound to the config that it was compared with, so that nobody's work is overwritten unseen.
 */

import { parseConfig } from '../../config/parse.ts';
import type { Route } from '../../config/types.ts';
import type { Fault } from '../../result.ts';
import { isMeant } from '../change.ts';
import { type Connected, connect } from '../client.ts';
import { configDiff, diffLines } from '../config-diff.ts';
import { type CurrentConfig, currentConfig, ifMatchOfConfig, leftBehind, overridden } from '../current-config.ts';
import { readText } from '../json-file.ts';
import { takenBackBaselines, withBaselinesKept } from '../kept-baselines.ts';
import { faultLines } from '../print.ts';
import { routeStatuses } from '../route.ts';
import { Stop } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb, writeArgs } from '../verb.ts';

export const apply = verb({
  summary:
    'Put a config file in force: checked here, shown as what changes, refused when somebody else wrote meanwhile',
  args: {
    file: { type: 'positional', required: true, description: 'The config, JSON; - reads standard input' },
    ...writeArgs,
    'if-match': {
      type: 'string',
      description: 'Only if the config in force still has this hash; else the one that was compared with',
      valueHint: 'HASH',
    },
    'keep-baseline': {
      type: 'boolean',
      description: 'Where a rollout has promoted another baseline than the file names, keep that one and its weights',
    },
  },
  async run(args, terminal) {
    const written = readText(args.file, 'name a config file; headgate init URL writes a first one', terminal);
    routesIn(written, args.file);
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const current = await currentConfig(connected);
    const headers = ifMatchOfConfig(args['if-match'], current);
    refuseStaleDryRun(args, current);
    const { text, kept } = args['keep-baseline'] ? keptIn(written, args.file, current) : { text: written, kept: [] };
    const warnings = await warningsOf(text, args.file, current, connected);
    const change = configDiff(current.document, JSON.parse(text));
    const lines = diffLines(change);
    for (const { route, inForce, inFile } of kept) {
      if (!args.json) terminal.note(`${route} keeps the baseline ${inForce}; the file says ${inFile}.`);
    }
    const isSame = lines.length === 0;
    if (isSame && !args.json) terminal.note('The config in force says the same already.');
    const what = `Put ${args.file} in force`;
    const shown = [...lines, ...warningLines(warnings, terminal)];
    if (!(await isMeant({ what, lines: shown, data: { ...change, warnings, kept } }, args, terminal))) return 0;
    const query = { reason: args.reason ?? '' };
    const put = await ask(client.api.config.$put({ query }, { headers, init: { body: text } }));
    const said = new Set(warnings.map(({ path }) => path));
    const late = put.warnings.filter(({ path }) => !said.has(path));
    if (args.json) {
      terminal.out(JSON.stringify({ ...put, ...change, warnings: [...warnings, ...late], kept }, null, 2));
      return 0;
    }
    terminal.out(`${terminal.paint.green('✓')} ${args.file} is in force: revision ${put.revision}, hash ${put.hash}`);
    // A person who was asked has seen them.
    const isSeen = terminal.confirm !== null && !args.yes;
    const rest = isSeen ? warningLines(late, terminal) : [...lines, ...warningLines([...warnings, ...late], terminal)];
    if (rest.length > 0) terminal.note(rest.join('\n'));
    return 0;
  },
});

/** What the Worker itself says of the document: it knows its secrets and bindings, and which splits beat the document's weights. */
async function warningsOf(
  text: string,
  file: string,
  { document }: CurrentConfig,
  connected: Connected,
): Promise<Fault[]> {
  const { client, ask } = connected;
  const init = { body: text };
  const checked = await ask(client.api.config.validate.$post(undefined, { init })).catch((cause: unknown) => {
    if (cause instanceof Stop && cause.trouble.code === 'invalid_config')
      throw faulty(file, cause.trouble.faults ?? []);
    throw cause;
  });
  const statuses = document === null ? [] : await routeStatuses(connected);
  const routes = routesIn(text, file);
  const found = [
    ...overridden(routes, statuses),
    ...takenBackBaselines(JSON.parse(text), document),
    ...leftBehind(routes, statuses),
  ];
  // Of a route that the config in force lacks only the Worker knows that KV still has a split; of the others less than its controller.
  const isSaid = (path: string) => path.endsWith('.weights') && found.some((one) => one.path === path);
  return [...checked.warnings.filter(({ path }) => !isSaid(path)), ...found];
}

/** The routes of a document, which is refused here if it has a fault. */
function routesIn(text: string, file: string): readonly Route[] {
  const checked = parseConfig(text, { unknownKeys: 'fault' });
  if (!checked.ok) throw faulty(file, checked.error);
  return checked.value.config.routes;
}

/** The file's text with the baselines that are in force; its own text where it has them. */
function keptIn(written: string, file: string, { document }: CurrentConfig) {
  const kept = withBaselinesKept(JSON.parse(written), document);
  if (!kept.ok) throw faulty(file, kept.error);
  if (kept.value.kept.length === 0) return { text: written, kept: [] };
  return {
    text: JSON.stringify(kept.value.document, null, 2),
    kept: kept.value.kept.map(({ index: _, ...rest }) => rest),
  };
}

function faulty(file: string, faults: Fault[]): Stop {
  const what = `${file} has ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}; it is refused whole.`;
  return new Stop({ exitCode: 1, code: 'invalid_config', what, faults });
}

function refuseStaleDryRun(args: { 'if-match'?: string; 'dry-run'?: boolean }, { hash }: CurrentConfig): void {
  const named = args['if-match']?.replaceAll('"', '');
  if (!args['dry-run'] || named === undefined || named === hash) return;
  const what = `The config in force has the hash ${hash ?? 'of none'}, not ${named}.`;
  throw new Stop({ exitCode: 1, code: 'stale', what, mend: 'look at headgate config revisions, then decide' });
}

function warningLines(warnings: readonly Fault[], terminal: Terminal): string[] {
  if (warnings.length === 0) return [];
  const count = `${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'}`;
  return [`${terminal.paint.yellow('!')} ${count}`, ...faultLines(warnings, terminal)];
}
