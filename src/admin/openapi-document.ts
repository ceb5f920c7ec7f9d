/** Owns the OpenAPI document that the Worker answers with, made of the short description. What a call takes and gives is not its own to say. */

import { adminBase } from './context.ts';
import { type JsonObject, type Short, schemaOf } from './openapi-short.ts';

/**
 * Summary, answer (what 200 carries, or the status of an answer without a body), query and body (0: none), further statuses of
 * problems; left out at the end where there are none.
 */
export type Described = [
  summary: string,
  given: Short | number,
  query?: Short | 0,
  body?: Short | 0,
  problems?: number[],
];

/** What `openapi.json` holds. Calls are named by method and path in Hono's spelling, below the mount point. */
export interface ShortApi {
  calls: { [call: string]: Described };
  schemas: { [name: string]: Short };
}

/** A path parameter in Hono's spelling, and what it may be where that is bounded. */
const PARAMETER = /:(\w+)(?:\{([^}]*)\})?/g;

/** The whole description, OpenAPI 3.1. */
export function openApiOf({ calls, schemas }: ShortApi) {
  const paths: Record<string, JsonObject> = {};
  for (const [call, described] of Object.entries(calls)) {
    const [method, path] = call.split(' ') as [string, string];
    const full = `${adminBase}${path.replace(PARAMETER, '{$1}')}`;
    paths[full] = { ...paths[full], [method]: operation(path, described) };
  }
  const problem = { schema: { $ref: '#/components/schemas/Problem' } };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headgate admin API',
      version: '1',
      description: 'Refusals are problem documents (RFC 9457); their `code` is stable.',
    },
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN' },
        access: {
          type: 'apiKey',
          in: 'header',
          name: 'cf-access-jwt-assertion',
          description: 'Set by Cloudflare Access',
        },
      },
      responses: {
        Problem: { description: 'Refused', content: { 'application/problem+json': problem } },
      },
      schemas: Object.fromEntries(Object.entries(schemas).map(([name, short]) => [name, schemaOf(short)])),
    },
  };
}

function operation(path: string, [summary, given, query = 0, body = 0, problems = []]: Described) {
  const isGuarded = path.startsWith('/api/');
  const statuses = new Set([
    ...problems,
    ...(isGuarded ? [401, 403, 404, 429, 503] : []),
    ...(query === 0 ? [] : [422]),
    ...(body === 0 ? [] : [413, 422]),
    // A config that is no JSON has a fault like any other.
    ...(body === 0 || body === '@Config' ? [] : [400]),
  ]);
  const other = OTHER_TYPES[path];
  const also = other && { [other]: {} };
  const description = `Refused: ${[...statuses].toSorted().join(', ')}`;
  const refused = { default: { $ref: '#/components/responses/Problem', description } };
  return {
    summary,
    ...(isGuarded && { security: [{ token: [] }, { access: [] }] }),
    parameters: [...pathParameters(path), ...queryParameters(query), ...(statuses.has(412) ? [ifMatch] : [])],
    ...(body !== 0 && { requestBody: { required: true, content: content(body) } }),
    responses: {
      ...(typeof given === 'number'
        ? { [given]: { ...done, content: also } }
        : { 200: { ...done, content: { ...content(given), ...also } } }),
      ...(given === '@Config' && { 304: { description: 'As known (If-None-Match)' } }),
      ...(statuses.size > 0 && refused),
    },
  };
}

const done = { description: 'Done' };

/** What two calls answer beside JSON, or instead of it. */
const OTHER_TYPES: Record<string, string> = {
  '/outcomes.js': 'text/javascript',
  '/api/routes/:route/experiment/units': 'text/csv',
};

const ifMatch = {
  name: 'if-match',
  in: 'header',
  description: 'The ETag that is to be changed',
  schema: { type: 'string' },
};

const content = (short: Short) => ({ 'application/json': { schema: schemaOf(short) } });

function pathParameters(path: string) {
  return [...path.matchAll(PARAMETER)].map(([, name, choice]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(choice && { enum: choice.split('|') }) },
  }));
}

function queryParameters(query: Short | 0) {
  if (query === 0) return [];
  const { properties, required = [] } = schemaOf(query) as { properties: JsonObject; required?: string[] };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}
