/** Owns what an answer has that its case did not expect. Pure. */

import { isObject } from '../../json.ts';
import { isEventStream } from '../../shadow/compare/kind.ts';
import { readSse, type StreamReading } from '../../shadow/compare/sse.ts';
import type { Expectation } from './cases.ts';

interface Answered {
  status: number;
  headers: Headers;
  text: string;
  totalMs: number;
}

/** One thing in which an answer is not as expected. */
export interface Difference {
  /** `status`, `time`, `text`, `header x-lang`, or a place in the body such as `/langs/0`. */
  at: string;
  expected: string;
  got: string;
}

/** Of an event stream `text` and `json` may be held to what it says once it is put together. */
export function differencesOf(expect: Expectation, answer: Answered): Difference[] {
  const isStream = isEventStream(answer.headers.get('content-type')) && /^(?:data|event|id|retry|):/m.test(answer.text);
  const stream = isStream ? readSse(new TextEncoder().encode(answer.text)) : null;
  const wrong = statusDifferences(expect, answer);
  return [
    ...wrong,
    ...(stream && wrong.length === 0 ? streamDifferences(stream) : []),
    ...Object.entries(expect.headers ?? {}).flatMap(([name, expected]) => {
      const got = answer.headers.get(name);
      return got === expected ? [] : [{ at: `header ${name}`, expected, got: got ?? 'none' }];
    }),
    ...textDifferences(expect, answer, stream?.text),
    ...bodyDifferences(expect, answer, stream),
    ...(answer.totalMs > (expect.maxMs ?? Number.POSITIVE_INFINITY)
      ? [{ at: 'time', expected: `at most ${expect.maxMs} ms`, got: `${Math.round(answer.totalMs)} ms` }]
      : []),
  ];
}

function statusDifferences({ status }: Expectation, { status: got, text }: Answered): Difference[] {
  const wanted = status === undefined ? null : [status].flat();
  const isFine = wanted === null ? got >= 200 && got < 300 : wanted.includes(got);
  if (isFine) return [];
  // An answer that was not to be mostly says why.
  const said = text.trim() === '' ? '' : `: ${short(text.trim())}`;
  return [{ at: 'status', expected: wanted?.join(' or ') ?? '2xx', got: `${got}${said}` }];
}

/** A stream may tell of an error, or lack the end mark of its API, with status 200. */
function streamDifferences({ error }: StreamReading): Difference[] {
  return error === undefined ? [] : [{ at: 'stream', expected: 'to end well', got: error }];
}

function textDifferences({ text }: Expectation, answer: Answered, said = ''): Difference[] {
  if (text === undefined || answer.text.includes(text) || said.includes(text)) return [];
  return [{ at: 'text', expected: `… ${text} …`, got: short(said || answer.text) }];
}

function bodyDifferences({ json: expected }: Expectation, { text }: Answered, stream: StreamReading | null) {
  if (expected === undefined) return [];
  if (stream !== null) return subset(expected, stream.document, '');
  let got: unknown;
  try {
    got = JSON.parse(text);
  } catch {
    return [{ at: 'body', expected: 'JSON', got: short(text) }];
  }
  return subset(expected, got, '');
}

/** What of `expected` is not in `got`. Members beyond it may be anything; a list must have the same length. */
function subset(expected: unknown, got: unknown, at: string): Difference[] {
  if (Array.isArray(expected) && Array.isArray(got) && expected.length === got.length) {
    return expected.flatMap((item, i) => subset(item, got[i], `${at}/${i}`));
  }
  if (isObject(expected) && isObject(got)) {
    return Object.entries(expected).flatMap(([key, value]) => {
      const place = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return Object.hasOwn(got, key)
        ? subset(value, got[key], place)
        : [{ at: place, expected: json(value), got: 'none' }];
    });
  }
  if (JSON.stringify(expected) === JSON.stringify(got)) return [];
  return [{ at: at === '' ? 'body' : at, expected: json(expected), got: json(got) }];
}

const json = (value: unknown): string => short(JSON.stringify(value));
const short = (text: string): string => (text.length > 160 ? `${text.slice(0, 160)}…` : text);
