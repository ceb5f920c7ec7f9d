/**
 * Owns the API's description, generated from the schemas that check the calls: `emit-openapi.ts` writes it to `openapi.json`,
 * which the Worker serves without the generator's weight. It refuses to describe by hand what a schema says. A test holds the list below to the routes that the app has.
 */

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { configSchema } from '../config/schema/config.ts';
import * as answers from './answers.ts';
import { adminBase } from './context.ts';
import * as ofExperiments from './experiment-schemas.ts';
import * as schemas from './schemas.ts';

interface Operation {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Below the mount point, in Hono's spelling. */
  path: string;
  summary: string;
  query?: v.ObjectSchema<v.ObjectEntries, undefined>;
  body?: v.GenericSchema;
  /** Statuses below 400 and what they carry: a schema, or null for no body. */
  answers: Record<number, v.GenericSchema | 'openapi' | null>;
  /** Statuses of the problems it may answer, beyond those of every API call. */
  problems: number[];
}

export const operations: Operation[] = [
  {
    method: 'get',
    path: '/health',
    summary: 'Whether the Worker runs. Open to all',
    answers: { 200: answers.healthAnswer },
    problems: [],
  },
  {
    method: 'get',
    path: '/preview',
    summary: 'Turns a preview token into a cookie for this host and goes to the page',
    query: schemas.previewQuery,
    answers: { 303: null },
    problems: [403, 422],
  },
  {
    method: 'post',
    path: '/outcomes',
    summary: 'Credits outcomes to the variants that served their units; a list is answered one by one',
    body: ofExperiments.outcomesBody,
    answers: { 200: ofExperiments.outcomesAnswer },
    problems: [400, 401, 403, 404, 409, 413, 422, 429, 503],
  },
  {
    method: 'get',
    path: '/outcomes.js',
    summary: 'The script with which pages report outcomes',
    answers: { 200: null },
    problems: [],
  },
  {
    method: 'post',
    path: '/api/config/validate',
    summary: 'Checks a config document against this Worker, its secrets and its bindings; changes nothing',
    body: configSchema,
    answers: { 200: answers.validateAnswer },
    problems: [413, 422],
  },
  {
    method: 'get',
    path: '/api/records',
    summary: 'The newest records of a dataset',
    query: schemas.recordsQuery,
    answers: { 200: answers.recordsAnswer },
    problems: [422, 502, 503],
  },
  {
    method: 'post',
    path: '/api/routes/:route/preview',
    summary: 'A signed token with which one variant can be seen before it has traffic',
    body: schemas.previewBody,
    answers: { 200: answers.previewAnswer },
    problems: [400, 404, 413, 422, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/comparisons',
    summary: 'What shadows compared: classes, skips, latency, fields that differ, samples',
    query: schemas.comparisonsQuery,
    answers: { 200: answers.comparisonsAnswer },
    problems: [404, 422, 503],
  },
  {
    method: 'delete',
    path: '/api/routes/:route/comparisons',
    summary: 'Begins the comparison with one candidate again at zero',
    query: schemas.resetQuery,
    answers: { 204: null },
    problems: [422, 503],
  },
  {
    method: 'get',
    path: '/api/config',
    summary: 'The config document as it was written, with its hash as ETag',
    answers: { 200: null },
    problems: [404, 503],
  },
  {
    method: 'put',
    path: '/api/config',
    summary: 'Replaces the config; with If-Match only if nobody wrote since',
    query: schemas.configPutQuery,
    answers: { 200: answers.configPutAnswer },
    problems: [412, 413, 422, 503],
  },
  {
    method: 'get',
    path: '/api/config/revisions',
    summary: 'The last 50 revisions of the config, newest first',
    answers: { 200: answers.revisionsAnswer },
    problems: [503],
  },
  {
    method: 'post',
    path: '/api/config/restore',
    summary: 'Puts an earlier revision of the config in force again',
    body: schemas.restoreBody,
    answers: { 200: answers.configPutAnswer },
    problems: [400, 404, 412, 413, 422, 503],
  },
  {
    method: 'get',
    path: '/api/routes',
    summary: 'The status of every route',
    answers: { 200: answers.routesAnswer },
    problems: [503],
  },
  {
    method: 'get',
    path: '/api/routes/:route',
    summary: 'Split, live numbers and rollout of one route; the ETag is the split revision',
    answers: { 200: answers.routeAnswer },
    problems: [404, 503],
  },
  {
    method: 'put',
    path: '/api/routes/:route/split',
    summary: 'Sets the split',
    body: schemas.splitBody,
    answers: { 200: answers.routeAnswer },
    problems: [400, 404, 409, 412, 413, 422, 503],
  },
  {
    method: 'post',
    path: '/api/routes/:route/switch',
    summary: 'All traffic to one variant at once',
    body: schemas.switchBody,
    answers: { 200: answers.routeAnswer },
    problems: [400, 404, 409, 412, 413, 422, 503],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollout',
    summary: 'Starts a rollout',
    body: schemas.rolloutBody,
    answers: { 200: answers.routeAnswer },
    problems: [400, 404, 409, 412, 413, 422, 503],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollout/:command{promote|pause|resume|abort}',
    summary: 'Promotes, pauses, resumes or aborts the running rollout',
    body: schemas.reasonBody,
    answers: { 200: answers.routeAnswer },
    problems: [400, 404, 409, 412, 413, 422, 503],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollback',
    summary: 'Returns to the last steady split, or to a named one',
    body: schemas.rollbackBody,
    answers: { 200: answers.routeAnswer },
    problems: [400, 404, 409, 412, 413, 422, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/splits',
    summary: 'Steady splits that a rollback may return to, and where the one asked about goes',
    query: schemas.splitsQuery,
    answers: { 200: answers.splitsAnswer },
    problems: [404, 422, 503],
  },
  {
    method: 'delete',
    path: '/api/routes/:route/weights',
    summary: 'Ends manual mode',
    answers: { 200: answers.routeAnswer },
    problems: [412, 422, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/history',
    summary: 'Who did what and why, with the evidence',
    query: schemas.historyQuery,
    answers: { 200: answers.historyAnswer },
    problems: [422, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/series',
    summary: 'Requests and failures over time, by variant',
    query: schemas.seriesQuery,
    answers: { 200: answers.seriesAnswer },
    problems: [422, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/explain',
    summary: 'Which variant a unit gets, and why',
    query: schemas.explainQuery,
    answers: { 200: answers.explainAnswer },
    problems: [404, 422, 503],
  },
  {
    method: 'get',
    path: '/api/doctor',
    summary:
      'What is wrong with this Worker and how to mend it: bindings, secrets, KV, controllers, health of variants',
    query: schemas.doctorQuery,
    answers: { 200: answers.doctorAnswer },
    problems: [404, 422],
  },
  {
    method: 'get',
    path: '/api/routes/:route/experiment',
    summary: 'The report of the experiment: sample ratio, arms, differences, states',
    answers: { 200: ofExperiments.experimentAnswer },
    problems: [404, 503],
  },
  {
    method: 'get',
    path: '/api/routes/:route/experiment/units',
    summary: 'Unit rows under their hashes, in pages, as JSON or CSV',
    query: ofExperiments.unitsQuery,
    answers: { 200: ofExperiments.unitsAnswer },
    problems: [404, 422, 503],
  },
  {
    method: 'delete',
    path: '/api/routes/:route/experiment/units/:unit',
    summary: 'Deletes all data of one unit, by its id or hash',
    answers: { 204: null },
    problems: [404, 503],
  },
  {
    method: 'get',
    path: '/api/sample-size',
    summary: 'How many units an experiment needs, and how long they take',
    query: ofExperiments.sampleSizeQuery,
    answers: { 200: ofExperiments.sampleSizeAnswer },
    problems: [422],
  },
  {
    method: 'get',
    path: '/api/openapi.json',
    summary: 'This description',
    answers: { 200: 'openapi' },
    problems: [],
  },
];

/** A path parameter in Hono's spelling, and what it may be where that is bounded. */
const PARAMETER = /:(\w+)(?:\{([^}]*)\})?/g;

/** The whole description, OpenAPI 3.1. */
export function openApi() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = `${adminBase}${operation.path.replace(PARAMETER, '{$1}')}`;
    paths[path] = { ...paths[path], [operation.method]: describe(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headgate admin API',
      version: '1',
      description: 'Every answer that is not a success is a problem document (RFC 9457) with a stable `code`.',
    },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'The Worker secret ADMIN_TOKEN' } },
      responses: {
        Problem: {
          description: 'Refused, and why',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
      schemas: {
        Problem: json(answers.problemAnswer),
        Route: json(answers.routeAnswer),
        Config: {
          type: 'object',
          description: 'The config document; headgate.schema.json of the same version describes each key',
        },
      },
    },
  };
}

function describe({ path, summary, query, body, answers, problems }: Operation) {
  const guarded = path.startsWith('/api/');
  const statuses = [...new Set([...(guarded ? [401, 403, 404, 429, 503] : []), ...problems])].toSorted();
  const refused = `Refused with ${statuses.join(', ')}, and why`;
  const responses = {
    ...Object.fromEntries(Object.entries(answers).map(([status, schema]) => [status, answer(schema)])),
    ...(statuses.length > 0 && { default: { ...problemResponse, description: refused } }),
  };
  return {
    summary,
    ...(guarded ? { security: [{ token: [] }] } : {}),
    parameters: [...pathParameters(path), ...queryParameters(query)],
    ...(body ? { requestBody: { required: true, content: content(body) } } : {}),
    responses,
  };
}

const problemResponse = { $ref: '#/components/responses/Problem' };

function answer(schema: v.GenericSchema | 'openapi' | null) {
  if (schema === null) return { description: 'Goes on to the page' };
  if (schema === 'openapi')
    return { description: 'Done', content: { 'application/json': { schema: { type: 'object' } } } };
  return { description: 'Done', content: content(schema) };
}

/** Schemas that many calls share stand once, under their names. */
const named = new Map<v.GenericSchema, string>([
  [configSchema, 'Config'],
  [answers.routeAnswer, 'Route'],
]);

function content(schema: v.GenericSchema) {
  const name = named.get(schema);
  return { 'application/json': { schema: name ? { $ref: `#/components/schemas/${name}` } : json(schema) } };
}

function pathParameters(path: string) {
  return [...path.matchAll(PARAMETER)].map(([, name, choice]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(choice && { enum: choice.split('|') }) },
  }));
}

function queryParameters(schema: Operation['query']) {
  if (!schema) return [];
  const { properties = {}, required = [] } = json(schema);
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property,
  }));
}

/** What a caller sends (`input`), without the checks that JSON Schema has no words for. */
function json(schema: v.GenericSchema): JsonSchema {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: 'input',
    target: 'draft-2020-12',
    errorMode: 'ignore',
  });
  return rest;
}
