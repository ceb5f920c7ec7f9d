/** Owns which of an experiment's declared segments a request belongs to: by a header, or by its JSON body where that was kept. */

import { valueAt } from '../config/path.ts';
import type { Segment } from '../config/types.ts';
import { OTHER } from '../experiment/segments.ts';
import type { Served } from '../forward/served.ts';
import { isShort } from '../forward/upload.ts';
import { ownText } from '../own-text.ts';
import { pointerSegments } from '../shadow/compare/paths.ts';
import { MAX_SEGMENT } from './limits.ts';

/** The values by segment; undefined where no segment has one. */
export function segmentsOf(
  segments: readonly Segment[],
  { sent, upload }: Pick<Served, 'sent' | 'upload'>,
): Record<string, string> | undefined {
  const found: [string, string][] = [];
  let body: unknown;
  for (const { name, from, values } of segments) {
    if ('pointer' in from && body === undefined && isShort(sent)) body = documentOf(upload);
    const value = 'header' in from ? sent.get(from.header) : wordAt(body, from.pointer);
    if (value === null || value === '') continue;
    // Declared values are bounded by the config and stay whole, since two may begin alike.
    found.push([name, values === undefined ? clipped(value) : values.includes(value) ? value : OTHER]);
  }
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** Cut to its bound, with its own characters, and well formed: half a surrogate pair would come back from a database as another value. */
const clipped = (value: string) => ownText(value.slice(0, MAX_SEGMENT));

function documentOf({ bytes, isEncoded }: Served['upload']): unknown {
  if (bytes === null || isEncoded) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}

/** RFC 6901. Only what is one short word is a value to tell units apart by. */
function wordAt(document: unknown, pointer: string): string | null {
  const at = valueAt(document, pointerSegments(pointer));
  return typeof at === 'string' || typeof at === 'number' || typeof at === 'boolean' ? String(at) : null;
}
