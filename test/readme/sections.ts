/**
 * Owns the parts of the README that come from code: between `<!-- NAME:begin -->` and `<!-- NAME:end -->` stands what the code
 * says, word for word. `node test/readme/update.ts` writes them, a test compares them.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { operations } from '../../src/admin/openapi.ts';
import { renderReference } from '../../src/cli/reference.ts';
import type { Dataset } from '../../src/records/rows.ts';
import { queriesMarkdown } from '../../src/records/sql/index.ts';
import { transitions } from '../../src/rollout/transitions.ts';
import { configTables } from './config-table.ts';

export const root = join(import.meta.dirname, '../..');
export const readmeFile = join(root, 'README.md');

/** What stands between the markers of each section. */
export async function sections(): Promise<Record<string, string>> {
  const schema = JSON.parse(readFileSync(join(root, 'src/config/headgate.schema.json'), 'utf8'));
  return {
    config: configTables(schema),
    transitions: transitionTable(),
    sql: sqlPage(),
    api: apiTable(),
    cli: await renderReference(),
  };
}

function transitionTable(): string {
  const rows = transitions.map(({ from, input, to, when }) => `| ${from} | ${input} | ${to} | ${when} |`);
  return ['| in phase | comes | goes to | when |', '|---|---|---|---|', ...rows].join('\n');
}

function sqlPage(): string {
  return [queries('Comparisons', 'comparisons'), queries('Requests', 'requests')].join('\n\n');
}

function queries(title: string, dataset: Dataset): string {
  return `<details><summary>${title}</summary>\n\n${queriesMarkdown(dataset).trim()}\n\n</details>`;
}

function apiTable(): string {
  const rows = operations.map(
    ({ method, path, summary }) => `| \`${method.toUpperCase()} ${path.replace(/\{.*?\}/g, '')}\` | ${summary} |`,
  );
  return ['| call | does |', '|---|---|', ...rows].join('\n');
}

/** The text between a section's markers, without the blank lines around it; null where the markers are not there. */
export function sectionIn(readme: string, name: string): string | null {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  return from < 0 || to < from ? null : readme.slice(from + begin.length, to).trim();
}

/** The README with a section's text replaced. */
export function withSection(readme: string, name: string, text: string): string {
  const before = sectionIn(readme, name);
  if (before === null) throw new Error(`the README has no markers for ${name}`);
  const begin = `<!-- ${name}:begin -->`;
  const from = readme.indexOf(begin) + begin.length;
  const to = readme.indexOf(`<!-- ${name}:end -->`);
  return `${readme.slice(0, from)}\n\n${text}\n\n${readme.slice(to)}`;
}
