/** Owns the cases of `headgate check`: JSON Lines, each a request and what its answer must be. Pure; a bad line refuses the file. */

import * as v from 'valibot';
import { object, record, say } from '../../config/schema/words.ts';
import { schemaFaults } from '../../config/schema-faults.ts';
import { findKeys } from '../../config/unknown-keys.ts';
import { err, ok, type Result } from '../../result.ts';

const expectation = object({
  /** One status or several; any 2xx when left out. */
  status: v.optional(v.union([v.number(), v.array(v.number())])),
  /** What the body must hold: members that are not named may be anything, lists must be as long. */
  json: v.optional(v.unknown()),
  /** What the body's text must contain. */
  text: v.optional(v.string()),
  headers: v.optional(record(v.string(), v.string())),
  /** Longest time to the end of the answer. */
  maxMs: v.optional(v.pipe(v.number(), v.minValue(1))),
});

const caseSchema = object({
  name: v.optional(v.string()),
  method: v.optional(v.string()),
  path: v.pipe(v.string(), v.startsWith('/', say('must begin with /', 'begin it so'))),
  headers: v.optional(record(v.string(), v.string()), {}),
  /** A text is sent as it is, anything else as JSON. */
  body: v.optional(v.unknown()),
  expect: v.optional(expectation, {}),
});

/** What an answer must be. */
export type Expectation = v.InferOutput<typeof expectation>;

/** One request with what is expected of its answer. */
export interface Case {
  name: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
  expect: Expectation;
}

/** What is wrong with a line of the file. */
interface CaseFault {
  line: number;
  reason: string;
}

/** The cases of a file, or everything that is wrong with it, line by line. */
export function parseCases(text: string): Result<Case[], CaseFault[]> {
  const cases: Case[] = [];
  const faults: CaseFault[] = [];
  text.split('\n').forEach((written, index) => {
    if (written.trim() === '') return;
    const parsed = parseCase(written);
    if (parsed.ok) cases.push(parsed.value);
    else faults.push({ line: index + 1, reason: parsed.error });
  });
  if (faults.length > 0) return err(faults);
  return cases.length > 0 ? ok(cases) : err([{ line: 1, reason: 'there is no case in it' }]);
}

function parseCase(written: string): Result<Case, string> {
  let value: unknown;
  try {
    value = JSON.parse(written);
  } catch {
    return err('is not JSON');
  }
  const checked = v.safeParse(caseSchema, value);
  const unknown = findKeys(caseSchema, value).unknown.map(({ path }) => `"${path}" is no key of a case`);
  if (!checked.success || unknown.length > 0) {
    const wrong = schemaFaults(checked.issues ?? [], value).map(({ path, reason }) => `${path}: ${reason}`);
    return err([...wrong, ...unknown].join('; '));
  }
  const { name, path, headers, body, expect } = checked.output;
  const method = (checked.output.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
  const isJson = body !== undefined && typeof body !== 'string';
  return ok({
    name: name ?? `${method} ${path}`,
    ...{ method, path, expect },
    headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), ...headers },
    body: isJson ? JSON.stringify(body) : body,
  });
}
