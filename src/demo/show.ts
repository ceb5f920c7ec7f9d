/** Owns the words and tables of `npm start`. Pure: it makes lines and prints none. */

import { bar } from '../cli/figures.ts';
import type { Row } from './scoreboard.ts';
import type { Seeded } from './seed.ts';
import type { RouteSplit } from './splits.ts';

const BAR_WIDTH = 20;
/** What stands behind the demo's variants; a config of the user's own names others, and they go without. */
const MODELS: Record<string, string> = { blue: 'tinyld', green: 'eld/medium', third: 'franc' };

interface Greeting {
  url: string;
  startedInMs: number;
  config: Seeded['config'];
  splits: RouteSplit[];
  /** Who gets a copy of every request. */
  shadow: string | null;
  /** Null: the usual one. Else commands have to name it. */
  stateDirectory: string | null;
}

/** What is running, and three things to try. */
export function greeting({ url, startedInMs, config, splits, shadow, stateDirectory }: Greeting): string[] {
  const ours = config !== 'kept';
  return [
    '',
    `Headgate listens on ${url}   (after ${(startedInMs / 1_000).toFixed(1)} s)`,
    '',
    ...(ours ? [] : ['The config in local KV is not the demo’s, so it was left as it is.', '']),
    ...(splits.length > 0 ? [] : ['  It has no route yet: npm run headgate -- apply FILE puts some in force.', '']),
    ...splits.flatMap((split) => [...splitLines(split, ours), '']),
    ...(ours && shadow !== null ? [`  ${shadow} gets a copy of every request; nobody sees its answers.`, ''] : []),
    ...(ours ? tryOut({ url, shadow, stateDirectory }) : []),
    'Ctrl-C stops everything.',
    '',
  ];
}

function splitLines({ route, path, baseline, weights, notes }: RouteSplit, ours: boolean): string[] {
  const widest = Math.max(...Object.keys(weights).map((variant) => variant.length));
  return [
    `  route ${route}   ${path}${notes.length === 0 ? '' : `   (${notes.join('; ')})`}`,
    ...Object.entries(weights).map(([variant, weight]) => {
      const model = ours ? MODELS[variant] : undefined;
      const role = variant === baseline ? 'baseline' : '';
      const facts = [model, role].filter(Boolean).join(', ');
      return `    ${variant.padEnd(widest)}  ${String(weight).padStart(5)} %  ${bar(weight / 100, BAR_WIDTH)}  ${facts}`.trimEnd();
    }),
  ];
}

function tryOut({ url, shadow, stateDirectory }: Pick<Greeting, 'url' | 'shadow' | 'stateDirectory'>): string[] {
  const persist = stateDirectory === null ? '' : ` --persist-to '${stateDirectory}'`;
  const from = url.endsWith(':8787') ? '' : ` --url ${url}`;
  return [
    'Try these in a second terminal:',
    '',
    '  Ask in which language a text is; x-headgate-variant says who answered, and stays for a user',
    `    curl -i ${url}/v1/detect -H 'x-user-id: ada' -d '{"text":"Alle Menschen sind frei geboren."}'`,
    '  Move the traffic; it follows within 5 seconds (and {} gives it back to the config)',
    `    npx wrangler kv key put --local --binding CONFIG weights:detect '{"blue":50,"green":50}'${persist}`,
    '  See what was recorded',
    `    npm run headgate -- records${from}`,
    ...(shadow === null
      ? []
      : ['  See how the two models compare', `    npm run headgate -- comparisons detect${from}`]),
    '',
  ];
}

/** A table of the traffic; the bar is the share of the last 10 seconds. */
export function trafficTable(rows: readonly Row[]): string[] {
  const cells = rows.map((row) => [
    row.variant ?? '(nobody)',
    `${bar(row.shareNow, BAR_WIDTH)} ${(row.shareNow * 100).toFixed(1).padStart(5)} %`,
    row.answers.toLocaleString('en'),
    row.answers === row.failed ? '-' : `${(row.accuracy * 100).toFixed(1)} %`,
    `${row.p50Ms.toFixed(1)} ms`,
    `${row.p95Ms.toFixed(1)} ms`,
    String(row.failed),
  ]);
  const head = ['variant', 'share of the last 10 s', 'answers', 'right', 'p50', 'p95', 'failed'];
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    `  ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ')}`.trimEnd();
  const weak = rows
    .filter((row) => row.weakLanguages.length > 0)
    .map((row) => `  ${row.variant ?? '(nobody)'} is mostly wrong in: ${row.weakLanguages.join(', ')}`);
  return [line(head), ...cells.map(line), ...weak];
}
