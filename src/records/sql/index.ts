/** Owns the list of ready queries as the README prints it. A test holds the README to it, word for word. */

import { comparisonQueries } from './comparisons.ts';
import type { ReadyQuery } from './query.ts';
import { requestQueries } from './requests.ts';

/** Every ready query by name; names are unique over all datasets. */
export const readyQueries: Record<string, ReadyQuery> = { ...comparisonQueries, ...requestQueries };

/** The queries as Markdown: name, what it answers, statement. */
export function queriesMarkdown(): string {
  return Object.entries(readyQueries)
    .map(([name, { answers, sql }]) => `**${name}**: ${answers}\n\n\`\`\`sql\n${sql}\n\`\`\`\n`)
    .join('\n');
}
