/**
 * Owns what the API's description says, generated from the schemas that check the calls: `emit-openapi.ts` writes it in short to
 * `openapi.json`, and the Worker makes the document of it without the generator's weight. It refuses to describe by hand what a
 * schema says. A test holds the list below to the routes that the app has.
 */

import { toJsonSchema } from '@valibot/to-json-schema';
import type * as v from 'valibot';
import { configSchema } from '../config/schema/config.ts';
import * as answers from './answers.ts';
import { descriptions } from './descriptions.ts';
import * as experimentAnswers from './experiment-answers.ts';
import * as ofExperiments from './experiment-schemas.ts';
import type { Described, ShortApi } from './openapi-document.ts';
import type { JsonObject } from './openapi-short.ts';
import { inFull, type Shared, shorten } from './openapi-shorten.ts';
import * as ofOutcomes from './outcome-schema.ts';
import * as schemas from './schemas.ts';

interface Operation {
  method: 'get' | 'post' | 'put' | 'delete';
  /** Below the mount point, in Hono's spelling. */
  path: string;
  summary: string;
  query?: v.ObjectSchema<v.ObjectEntries, undefined>;
  body?: v.GenericSchema;
  /** What 200 carries, or the status below 400 of an answer that has no described body. */
  answer: v.GenericSchema | 'openapi' | number;
  /** Statuses of the problems it may answer, beyond those of every API call, and of what query and body may have wrong. */
  problems?: number[];
}

export const operations: Operation[] = [
  {
    method: 'get',
    path: '/health',
    summary: 'Whether the Worker runs',
    answer: answers.healthAnswer,
  },
  {
    method: 'get',
    path: '/preview',
    summary: 'Turns a preview token into a cookie',
    query: schemas.previewQuery,
    answer: 303,
    problems: [403],
  },
  {
    method: 'post',
    path: '/outcomes',
    summary: 'Credits outcomes to variants',
    body: ofOutcomes.outcomesBody,
    answer: experimentAnswers.outcomesAnswer,
    problems: [401, 403, 404, 409, 429, 503],
  },
  {
    method: 'get',
    path: '/outcomes.js',
    summary: 'The script for pages',
    answer: 200,
  },
  {
    method: 'post',
    path: '/api/config/validate',
    summary: 'Checks a config',
    body: configSchema,
    answer: answers.validateAnswer,
  },
  {
    method: 'get',
    path: '/api/records',
    summary: 'The newest records of a dataset',
    query: schemas.recordsQuery,
    answer: answers.recordsAnswer,
    problems: [502],
  },
  {
    method: 'post',
    path: '/api/routes/:route/preview',
    summary: 'A preview token',
    body: schemas.previewBody,
    answer: answers.previewAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route/comparisons',
    summary: 'What shadows compared',
    query: schemas.comparisonsQuery,
    answer: answers.comparisonsAnswer,
  },
  {
    method: 'delete',
    path: '/api/routes/:route/comparisons',
    summary: 'Begins a comparison again',
    query: schemas.resetQuery,
    answer: 204,
  },
  {
    method: 'get',
    path: '/api/config',
    summary: 'The config; its hash is the ETag',
    answer: configSchema,
  },
  {
    method: 'put',
    path: '/api/config',
    summary: 'Replaces the config; takes If-Match',
    query: schemas.reasonQuery,
    body: configSchema,
    answer: answers.configPutAnswer,
    problems: [409, 412, 413],
  },
  {
    method: 'get',
    path: '/api/config/revisions',
    summary: 'The last 50 revisions, newest first',
    answer: answers.revisionsAnswer,
  },
  {
    method: 'post',
    path: '/api/config/restore',
    summary: 'Puts a revision in force again',
    body: schemas.restoreBody,
    answer: answers.configPutAnswer,
    problems: [409, 412],
  },
  {
    method: 'get',
    path: '/api/routes',
    summary: 'All routes',
    answer: answers.routesAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route',
    summary: 'The status of a route; the ETag is the revision',
    answer: answers.routeAnswer,
  },
  {
    method: 'put',
    path: '/api/routes/:route/split',
    summary: 'Sets the split',
    body: schemas.splitBody,
    answer: answers.routeAnswer,
    problems: [409, 412],
  },
  {
    method: 'post',
    path: '/api/routes/:route/switch',
    summary: 'All traffic to one variant',
    body: schemas.switchBody,
    answer: answers.routeAnswer,
    problems: [409, 412],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollout',
    summary: 'Starts a rollout',
    body: schemas.rolloutBody,
    answer: answers.routeAnswer,
    problems: [409, 412],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollout/:command{promote|pause|resume|abort}',
    summary: 'Commands the running rollout',
    body: schemas.reasonBody,
    answer: answers.routeAnswer,
    problems: [409, 412],
  },
  {
    method: 'post',
    path: '/api/routes/:route/rollback',
    summary: 'Returns to a steady split',
    body: schemas.rollbackBody,
    answer: answers.routeAnswer,
    problems: [409, 412],
  },
  {
    method: 'get',
    path: '/api/routes/:route/splits',
    summary: 'Splits to return to',
    query: schemas.splitsQuery,
    answer: answers.splitsAnswer,
  },
  {
    method: 'delete',
    path: '/api/routes/:route/weights',
    summary: 'Ends manual mode',
    query: schemas.reasonQuery,
    answer: answers.routeAnswer,
    problems: [412, 422],
  },
  {
    method: 'get',
    path: '/api/routes/:route/history',
    summary: 'Who did what and why',
    query: schemas.historyQuery,
    answer: answers.historyAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route/series',
    summary: 'Requests over time, by variant',
    query: schemas.seriesQuery,
    answer: answers.seriesAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route/explain',
    summary: 'The variant that a unit gets',
    query: schemas.explainQuery,
    answer: answers.explainAnswer,
  },
  {
    method: 'get',
    path: '/api/doctor',
    summary: 'What is wrong, and how to mend it',
    query: schemas.doctorQuery,
    answer: answers.doctorAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route/experiment',
    summary: 'The report of the experiment',
    answer: experimentAnswers.experimentAnswer,
  },
  {
    method: 'get',
    path: '/api/routes/:route/experiment/units',
    summary: 'Units, as JSON or CSV',
    query: ofExperiments.unitsQuery,
    answer: experimentAnswers.unitsAnswer,
  },
  {
    method: 'delete',
    path: '/api/routes/:route/experiment/units/:unit',
    summary: 'Deletes the data of a unit',
    query: ofExperiments.deletionQuery,
    answer: 204,
  },
  {
    method: 'get',
    path: '/api/sample-size',
    summary: 'How many units an experiment needs',
    query: ofExperiments.sampleSizeQuery,
    answer: experimentAnswers.sampleSizeAnswer,
  },
  {
    method: 'get',
    path: '/api/openapi.json',
    summary: 'This description',
    answer: 'openapi',
  },
];

/** Schemas that many calls share stand once, under their names. */
const shared: Shared = {
  Config: {
    type: 'object',
    description: 'See headgate.schema.json',
  },
  Problem: json(answers.problemAnswer),
  Route: json(answers.routeAnswer),
  ...Object.fromEntries(Object.entries(answers.parts).map(([name, part]) => [name, json(part)])),
};

/** The whole description in short: what `openapi.json` holds. */
export function shortApi(): ShortApi {
  const schemas = Object.entries(shared).map(([name, schema]) => {
    const { [name]: _, ...others } = shared;
    return [name, shorten(schema, others)];
  });
  const calls = operations.map((one) => [`${one.method} ${one.path}`, described(one)]);
  return { calls: Object.fromEntries(calls), schemas: Object.fromEntries(schemas) };
}

/** Every schema of a call in full, and in short: a test holds them together. */
export function bothWays(): { full: JsonObject; again: JsonObject }[] {
  const schemas = operations.flatMap(({ query, body, answer }) => [query, body, answer]);
  return schemas.flatMap((schema) => {
    if (typeof schema !== 'object' || schema === configSchema) return [];
    const full = json(schema);
    return [{ full, again: inFull(shorten(full, shared), shared) }];
  });
}

function described({ summary, query, body, answer, problems }: Operation): Described {
  const given = typeof answer === 'number' ? answer : short(answer);
  const all = [summary, given, query ? short(query) : 0, body ? short(body) : 0, problems ?? 0];
  return all.slice(0, 1 + all.findLastIndex((one) => one !== 0)) as unknown as Described;
}

function short(schema: v.GenericSchema | 'openapi') {
  if (schema === configSchema) return '@Config';
  return shorten(schema === 'openapi' ? { type: 'object' } : json(schema), shared);
}

/** Describes the members of what a call takes. Throws for a description of nothing: that is a bug here. */
function withDescriptions(full: JsonObject, schema: v.GenericSchema): JsonObject {
  const name =
    Object.entries({ ...schemas, ...ofExperiments, ...ofOutcomes }).find(([, one]) => one === schema)?.[0] ?? '';
  const left = new Set(Object.keys(descriptions[name] ?? {}));
  const described = JSON.stringify(full, (key, value) => {
    const description = descriptions[name]?.[key];
    if (description === undefined || typeof value !== 'object' || Array.isArray(value)) return value;
    left.delete(key);
    return { ...value, description };
  });
  if (left.size > 0) throw new Error(`${name} has no ${[...left].join(', ')}`);
  return JSON.parse(described) as JsonObject;
}

/** What a caller sends (`input`), without the checks that JSON Schema has no words for. */
function json(schema: v.GenericSchema): JsonObject {
  const { $schema: _, ...rest } = toJsonSchema(schema, {
    typeMode: 'input',
    target: 'draft-2020-12',
    errorMode: 'ignore',
  });
  // Names are strings, and what may be anything may be something: neither says a thing.
  const needless = (key: string, value: unknown) => {
    if (key === 'required' && (value as unknown[]).length === 0) return undefined;
    if (key === 'propertyNames') return undefined;
    if (key === 'default' && !value) return undefined;
    return key === 'additionalProperties' && JSON.stringify(value) === '{}' ? undefined : value;
  };
  return withDescriptions(JSON.parse(JSON.stringify(rest, needless)) as JsonObject, schema);
}
