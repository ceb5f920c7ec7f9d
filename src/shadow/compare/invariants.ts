/**
 * Owns the hard invariants of a model's answer: what a good answer must keep however it is worded. They are facts about the
 * pair, apart from likeness, which is a score. It refuses to judge wording.
 */

import type { Dialect, Facts } from './dialects/dialect.ts';
import { isMembers } from './dialects/dialect.ts';
import { parseJson } from './json-text.ts';
import type { CompiledRules } from './paths.ts';

/**
 * - `json`: the request asked for JSON, the live answer is JSON and the candidate's is not.
 * - `arguments`: the candidate calls a tool with arguments that are not JSON, the live reply does not.
 * - `empty`: the candidate says nothing (no text, no tool call, no refusal), the live reply does.
 * - `tools`: different tools are called, or a different number of times.
 * - `finish`: the model stopped for a different reason.
 * - `refusal`: one refused and the other did not.
 */
export type Invariant = 'json' | 'arguments' | 'empty' | 'tools' | 'finish' | 'refusal';

/** Invariants the pair breaks, gravest first. What the rules ignore (finish reason, tool names) is left out here as well. */
export function brokenInvariants(
  live: Facts,
  candidate: Facts,
  context: { jsonAsked: boolean; dialect: Dialect; rules: CompiledRules },
): Invariant[] {
  const { places } = context.dialect;
  const textCounts = !context.rules.ignores(places.text);
  const toolsCount = !context.rules.ignores(places.toolName);
  const broken: Invariant[] = [];
  if (context.jsonAsked && textCounts && isJson(live) && !isJson(candidate)) broken.push('json');
  if (toolsCount && allValid(live) && !allValid(candidate)) broken.push('arguments');
  if (textCounts && !isEmpty(live) && isEmpty(candidate)) broken.push('empty');
  if (toolsCount && toolNames(live) !== toolNames(candidate)) broken.push('tools');
  if (!context.rules.ignores(places.finish) && live.finish !== candidate.finish) broken.push('finish');
  if (textCounts && (live.refusal === null) !== (candidate.refusal === null)) broken.push('refusal');
  return broken;
}

/** A tool call needs no text, so an answer of calls alone is as good as JSON. */
function isJson(facts: Facts): boolean {
  return (facts.toolCalls.length > 0 && facts.text === '') || parseJson(facts.text) !== undefined;
}

function allValid(facts: Facts): boolean {
  return facts.toolCalls.every((call) => call.valid);
}

function isEmpty(facts: Facts): boolean {
  return facts.text.trim() === '' && facts.toolCalls.length === 0 && facts.refusal === null;
}

function toolNames(facts: Facts): string {
  const names = facts.toolCalls.map((call) => call.name);
  return JSON.stringify(names.sort());
}

/** Whether a request's body asks for a JSON answer: `response_format` (chat, Workers AI) or `text.format` (Responses). */
export function asksForJson(request: unknown): boolean {
  if (!isMembers(request)) return false;
  const format = isMembers(request.text) ? request.text.format : request.response_format;
  return isMembers(format) && (format.type === 'json_object' || format.type === 'json_schema');
}
