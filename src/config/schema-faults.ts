/** Owns the translation of what valibot reports into faults with path, reason and mend. It judges nothing itself. */

import type { BaseIssue } from 'valibot';
import type { Fault, FaultWords } from '../result.ts';
import { type Key, pathOf, shown, valueAt } from './path.ts';

type Issue = BaseIssue<unknown>;

/** What the schema calls its types, in the words of a person. */
const typeWords: Record<string, string> = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  Object: 'an object',
  Array: 'a list',
};

/** Every fault that the schema found in the document, once for each place and reason. */
export function schemaFaults(issues: readonly Issue[], document: unknown): Fault[] {
  const faults = new Map<string, Fault>();
  for (const fault of issues.flatMap((issue) => faultsOf(issue, [], document))) {
    faults.set(`${fault.path}\n${fault.reason}`, fault);
  }
  return [...faults.values()];
}

function faultsOf(issue: Issue, above: Key[], document: unknown): Fault[] {
  const keys = [...above, ...(issue.path ?? []).map((item) => item.key as Key)];
  if (issue.issues) {
    // No option of a union fits. The option meant is the one whose inside is wrong, rather than its type.
    const inside = issue.issues.filter((nested) => nested.path || nested.kind === 'validation');
    if (inside.length > 0) return inside.flatMap((nested) => faultsOf(nested, keys, document));
  }
  // The key itself is at fault, unless it is an object that misses one.
  const isKey = issue.path?.at(-1)?.origin === 'key' && issue.type !== 'object';
  const value = isKey ? keys.at(-1) : valueAt(document, keys);
  return [{ path: pathOf(keys), ...sentence(issue, value) }];
}

function sentence(issue: Issue, value: unknown): FaultWords {
  const [reason = '', mend] = issue.message.split('\n');
  if (mend !== undefined) return { reason: /^[a-z]/.test(reason) ? `${shown(value)} ${reason}` : reason, mend };
  if (value === undefined) return { reason: 'is missing', mend: `add ${issue.expected}` };
  // Admin calls say in one line what would fit.
  if (!reason.startsWith('Invalid')) return { reason: `${shown(value)} does not fit`, mend: reason };
  const expected = words(issue.expected ?? '');
  return { reason: `${shown(value)} is not ${expected}`, mend: `give ${expected}` };
}

/** valibot writes `("lax" | "none")` and `>=1`. */
function words(expected: string): string {
  const plain = expected.replace(/[()]/g, '').replace('>=', 'at least ').replace('<=', 'at most ');
  const options = plain.split(' | ');
  return [...new Set(options.map((option) => typeWords[option] ?? option))].join(' or ');
}
