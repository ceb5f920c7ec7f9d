/** Owns what comes in with an admin call: bounded bodies, and valibot schemas whose issues become faults. It knows no endpoint. */

import type { MiddlewareHandler, TypedResponse } from 'hono';
import * as v from 'valibot';
import { readText } from '../body-text.ts';
import { schemaFaults } from '../config/schema-faults.ts';
import { findKeys } from '../config/unknown-keys.ts';
import { type ProblemDetails, problem } from '../problem.ts';
import { err, type Fault, ok, type Result } from '../result.ts';
import type { AdminEnv } from './context.ts';
import { MAX_BODY_BYTES } from './limits.ts';

/** What a problem looks like to the typed client. */
export interface ProblemBody {
  status: number;
  code: string;
  detail: string;
  mend?: string;
  faults?: Fault[];
}

/** Statuses of the controls' refusals. */
export type ProblemStatus = 400 | 401 | 403 | 404 | 405 | 409 | 412 | 413 | 422 | 429 | 500 | 502 | 503;

type Refused<S extends ProblemStatus> = Response & TypedResponse<ProblemBody, S, 'json'>;

/**
 * `problem`, typed so that the client can tell a refusal from an answer by its status. Always with `mend`: operators are told what to do.
 */
export function refuse<const S extends ProblemStatus>(
  status: S,
  code: string,
  detail: string,
  mend: string,
  further?: Pick<ProblemDetails, 'more' | 'headers'>,
): Refused<S> {
  return problem({ status, code, detail, mend, ...further }) as Refused<S>;
}

/** What to do about a missing binding. */
export const bindIt = 'bind it as wrangler.toml does and deploy';

/** What to do about a missing secret. */
export const putSecret = (name: string) => `npx wrangler secret put ${name} (locally: in .dev.vars)`;

/**
 * The body as JSON, or the refusal; `empty` is read in place of an empty body. Any content type will do: tokens protect the calls, not the
 * type, and `sendBeacon` sends text.
 */
export async function readJson(request: Request, maxBytes: number, empty = ''): Promise<Result<unknown, Response>> {
  const text = await readText(request, maxBytes);
  if (text === null) return err(tooLarge(maxBytes));
  try {
    return ok(JSON.parse(text || empty));
  } catch {
    return err(refuse(400, 'bad_json', 'The body is not JSON.', 'send JSON'));
  }
}

/** The refusal of a body over the bound. */
export function tooLarge(maxBytes: number) {
  return refuse(413, 'body_too_large', `The body has more than ${maxBytes / 1024} KiB.`, 'send less at once');
}

type Validated<Target extends 'json' | 'query', S extends v.GenericSchema> = MiddlewareHandler<
  AdminEnv,
  string,
  { in: { [T in Target]: v.InferInput<S> }; out: { [T in Target]: v.InferOutput<S> } }
>;

/**
 * Checks a JSON body, `{}` where there is none; `c.req.valid('json')` then has it. Unknown members are refused if `isStrict`, since a
 * misspelled one would do something other than what was asked for. Where a member decides nothing, it should not stop an abort.
 */
export function jsonBody<S extends v.GenericSchema>(schema: S, { isStrict = true } = {}): Validated<'json', S> {
  return async (c, next) => {
    const body = await readJson(c.req.raw, MAX_BODY_BYTES, '{}');
    if (!body.ok) return body.error;
    // valibot takes a list for an object.
    const checked = v.safeParse(schema, Array.isArray(body.value) ? null : body.value);
    const { unknown, reserved } = findKeys(schema, body.value);
    const strange = isStrict ? [...unknown, ...reserved] : [];
    if (!checked.success || strange.length > 0) return invalidBy(checked.issues, body.value, strange);
    c.req.addValidatedData('json', checked.output as object);
    return next();
  };
}

/** Checks the query; a parameter left empty counts as absent. */
export function query<S extends v.GenericSchema>(schema: S): Validated<'query', S> {
  return async (c, next) => {
    const given = Object.fromEntries(Object.entries(c.req.query()).filter(([, value]) => value !== ''));
    const checked = v.safeParse(schema, given);
    if (!checked.success) return invalidBy(checked.issues, given);
    c.req.addValidatedData('query', checked.output as object);
    return next();
  };
}

/** Where every call is described. */
export const seeApi = 'GET /_headgate/api/openapi.json describes every call';

/** What was sent does not fit; each fault says why and how to mend it. */
export function invalid(detail: string, faults: Fault[]) {
  return refuse(422, 'invalid_request', detail, seeApi, { more: { faults } });
}

function invalidBy(issues: readonly v.BaseIssue<unknown>[] = [], value: unknown, more: Fault[] = []) {
  const faults = [...schemaFaults(issues, value), ...more];
  return invalid(faults.map(({ path, reason }) => `${path}: ${reason}`).join('; '), faults);
}
