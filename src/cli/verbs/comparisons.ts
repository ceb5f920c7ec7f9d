/** Owns `headgate comparisons ROUTE`: the report once or as it grows, the kept pairs as a file, and a beginning at zero. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Sample } from '../../shadow/tally.ts';
import { isMeant } from '../change.ts';
import { connect } from '../client.ts';
import { pairLines } from '../comparisons/pairs.ts';
import { type Comparisons, reportLines } from '../comparisons/report.ts';
import { whole } from '../figures.ts';
import { writeText } from '../json-file.ts';
import { Stop, usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb } from '../verb.ts';
import { LOOK_MS, patiently } from '../wait.ts';

/** All that the controller keeps. */
const ALL_SAMPLES = 200;

export const comparisons = verb({
  summary: 'Show what shadows found: classes, latency, fields that differ, scores, and the newest pairs side by side',
  args: {
    route: { type: 'positional', required: true, description: 'A route of the config' },
    candidate: { type: 'string', description: 'Which candidate, when there are several', valueHint: 'VARIANT' },
    samples: { type: 'string', description: 'How many of the newest pairs to show', default: '3', valueHint: 'N' },
    watch: { type: 'boolean', description: 'Go on looking; Ctrl-C ends it' },
    export: {
      type: 'string',
      description: 'Write every kept pair as JSON Lines; - is standard output',
      valueHint: 'FILE',
    },
    force: { type: 'boolean', description: 'With --export: write over the file' },
    reset: { type: 'boolean', description: 'Forget what was compared, so that counting begins at zero' },
    yes: { type: 'boolean', description: 'With --reset: do not ask' },
    'dry-run': { type: 'boolean', description: 'With --reset: say what would be forgotten, and forget nothing' },
  },
  async run(args, terminal) {
    if (!/^\d{1,3}$/.test(args.samples) || Number(args.samples) > ALL_SAMPLES) {
      throw usage(`--samples is a whole number from 0 to ${ALL_SAMPLES}.`, 'such as --samples 10');
    }
    const asked = [args.watch && '--watch', args.export && '--export', args.reset && '--reset'].filter(Boolean);
    if (asked.length > 1) throw usage(`${asked.join(' and ')} do not go together.`, 'give one of them');
    const { client, ask } = connect(args, terminal);
    const { route } = args;
    const candidate = args.candidate || undefined;
    const look = async (samples: number): Promise<Comparisons> => {
      const query = { candidate, samples: String(samples) };
      const report = await ask(client.api.routes[':route'].comparisons.$get({ param: { route }, query }));
      return known(report as Comparisons, route, candidate);
    };
    if (args.export)
      return save(await look(ALL_SAMPLES), args.export, { ...args, force: args.force === true }, terminal);
    if (args.reset) {
      const report = await look(0);
      const { eligible } = report;
      const reset = toForget(report, args);
      if (reset === null) terminal.note(`${route} has compared nothing yet, so there is nothing to forget.`);
      else {
        const what = `Forget the ${whole(eligible)} requests compared with ${route}/${reset}, and the pairs kept of them`;
        if (!(await isMeant({ what, lines: [], data: { route, reset, eligible } }, args, terminal))) return 0;
        await ask(client.api.routes[':route'].comparisons.$delete({ param: { route }, query: { candidate: reset } }));
      }
      if (args.json) terminal.out(JSON.stringify({ route, reset }));
      else if (reset !== null) terminal.out(`${terminal.paint.green('✓')} ${route}/${reset} begins at zero`);
      return 0;
    }
    const samples = Number(args.samples);
    const show = (report: Comparisons, indent?: number) =>
      terminal.out(args.json ? JSON.stringify(report, null, indent) : page(route, report, terminal));
    if (!args.watch) {
      show(await look(samples), 2);
      return 0;
    }
    return watch(() => look(samples), show, terminal, args.json === true);
  },
});

/** The API answers zeros for a candidate that it never met; here that is most likely a slip of the pen. */
function known(report: Comparisons, route: string, candidate: string | undefined): Comparisons {
  if (candidate === undefined || report.candidate !== null || report.candidates.length === 0) return report;
  throw new Stop({
    exitCode: 1,
    code: 'no_such_candidate',
    what: `${route} has compared nothing with ${candidate}.`,
    why: `It has compared: ${report.candidates.join(', ')}.`,
    mend: `headgate comparisons ${route} --candidate ${report.candidates[0]}`,
  });
}

function page(route: string, report: Comparisons, terminal: Terminal): string {
  if (report.candidate === null) {
    return [
      `${route} has compared nothing yet.`,
      '  A shadow compares: "shadows": [ { "variant": "green", "percent": 100, "samples": true } ] in the route.',
      '  With it there, send requests; counts arrive within 15 seconds.',
    ].join('\n');
  }
  const pairs = pairLines(report.samples as unknown as Sample[], report.candidate, terminal);
  return [...reportLines(route, report, terminal), ...(pairs.length > 0 ? ['', ...pairs] : [])].join('\n');
}

function save(
  report: Comparisons,
  file: string,
  { route, force, json }: { route: string; force: boolean; json?: boolean },
  terminal: Terminal,
): 0 {
  const lines = report.samples.map((sample) => JSON.stringify({ route, variant: report.candidate, ...sample }));
  if (lines.length === 0) {
    terminal.note('No pair is kept: only those that differ are, and only with "samples": true in the shadow.');
  }
  if (file === '-') {
    if (lines.length > 0) terminal.out(lines.join('\n'));
    return 0;
  }
  const path = resolve(terminal.cwd, file);
  if (existsSync(path) && !force) {
    throw new Stop({
      exitCode: 1,
      what: `${file} is there already.`,
      mend: 'name another by --export, or write over it with --force',
    });
  }
  writeText(file, lines.map((line) => `${line}\n`).join(''), terminal);
  if (json) terminal.out(JSON.stringify({ file, pairs: lines.length }));
  else terminal.out(`${terminal.paint.green('✓')} wrote ${whole(lines.length)} pairs to ${file}`);
  return 0;
}

/** The candidate whose pairs are to be forgotten; null where nothing was compared. */
function toForget({ candidate, candidates }: Comparisons, args: { route: string; candidate?: string }): string | null {
  if (args.candidate || candidates.length < 2) return candidate;
  const what = `${args.route} has several candidates: ${candidates.join(', ')}.`;
  throw usage(what, `name one by --candidate ${candidate}`);
}

/** Shows each look over the one before; a Worker that has answered once is waited for when it cannot be reached or fails. */
async function watch(
  look: () => Promise<Comparisons>,
  show: (report: Comparisons) => void,
  terminal: Terminal,
  json: boolean,
): Promise<never> {
  const isScreen = Number.isFinite(terminal.columns) && !json;
  const lookAgain = patiently(look, terminal);
  for (let report = await look(); ; report = await lookAgain()) {
    if (isScreen) terminal.out('\u001b[H\u001b[2J');
    show(report);
    await terminal.sleep(LOOK_MS);
  }
}
