/** Owns the list of ready queries as the README prints it. A test holds the README to it, word for word. */

import type { Dataset } from '../rows.ts';
import { comparisonQueries } from './comparisons.ts';
import type { ReadyQuery } from './query.ts';
import { requestQueries } from './requests.ts';

/** Every ready query by name; names are unique over all datasets. */
export const readyQueries: Record<string, ReadyQuery> = { ...comparisonQueries, ...requestQueries };

/** The queries of a dataset as Markdown: name, what it answers, statement. */
export function queriesMarkdown(dataset: Dataset): string {
  return Object.entries(readyQueries)
    .filter(([, query]) => query.dataset === dataset)
    .map(([name, { answers, sql }]) => `**${name}**: ${answers}\n\n\`\`\`sql\n${sql}\n\`\`\`\n`)
    .join('\n');
}
