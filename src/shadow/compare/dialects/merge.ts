/** Owns how fragments of one member become the whole: texts are joined, lists grow, objects merge, the last scalar wins. */

import { getOrMake } from '../../../get-or-make.ts';
import { append, emptyMembers, isMembers, listOf, type Members, membersOf } from './dialect.ts';

/** Texts that arrive whole with every fragment and must not be joined to themselves. */
const wholeTexts = new Set(['id', 'type', 'role', 'name', 'call_id', 'format']);

/** Of each list its items by their `index`. A list may be as long as an answer, and must not be gone through for each item or event. */
const indexed = new WeakMap<unknown[], Map<unknown, Members>>();

/** Merges a fragment into the members gathered so far. */
export function mergeFragment(into: Members, fragment: Members): void {
  for (const key of Object.keys(fragment)) {
    const part = fragment[key];
    const known = into[key];
    if (typeof part === 'string' && typeof known === 'string') {
      into[key] = wholeTexts.has(key) ? part || known : known + part;
    } else if (Array.isArray(part) && Array.isArray(known)) {
      mergeList(known, part);
    } else if (isMembers(part) && isMembers(known)) {
      mergeFragment(known, part);
    } else if (typeof part === 'string' && Array.isArray(known) && known.length > 0) {
      // Some models say texts bare between parts that are lists.
      const last = known.at(-1);
      if (typeof last === 'string') known[known.length - 1] += part;
      else if (isMembers(last) && last.type === 'text') append(last, 'text', part);
      else if (part !== '') known.push(part);
    } else if (Array.isArray(part) && typeof known === 'string' && known !== '') {
      if (part.length > 0) into[key] = [known, ...(copied(part) as unknown[])];
    } else if (part !== null || known === undefined) {
      into[key] = copied(part);
    }
  }
}

/** Items with an `index` belong to the item of that index, texts and thoughts to one of their kind before them; others are put behind. */
function mergeList(known: unknown[], part: unknown[]): void {
  for (const item of part) {
    const { index, type } = membersOf(item);
    const byIndex =
      typeof index === 'number'
        ? getOrMake(indexed, known, () => new Map(listOf(known).map((other) => [other.index, other])))
        : undefined;
    const last = membersOf(known.at(-1));
    const isMore = (type === 'text' || type === 'thinking') && last.type === type;
    const same = byIndex ? byIndex.get(index) : isMore && last;
    if (same) mergeFragment(same, item as Members);
    else {
      const fresh = copied(item);
      known.push(fresh);
      byIndex?.set(index, fresh as Members);
    }
  }
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) {
    const list: unknown[] = [];
    mergeList(list, value);
    return list;
  }
  if (!isMembers(value)) return value;
  const members = emptyMembers();
  mergeFragment(members, value);
  return members;
}
