/**
 * Owns the common words for what language models answer, whichever API they speak: one event of a stream, the re-assembled
 * document, and the facts read from a document. It refuses to know any one API: those are the files beside it.
 */

import { asObject, isObject } from '../../../json.ts';
import { parseJson } from '../json-text.ts';
import { MAX_TOKENS } from '../limits.ts';

/** The APIs that are known by name; `generic` is any other. */
export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'workers-ai' | 'generic';

/** One event of a stream. */
export interface SseEvent {
  /** The event's name, or null when the stream gave none. */
  event: string | null;
  /** The parsed data, or undefined when it is not JSON. */
  json: unknown;
  text: string;
}

/** A tool that the model wants to be called. */
export interface ToolCall {
  name: string;
  /** The parsed arguments, or the text as it came where that is not JSON. */
  arguments: unknown;
  valid: boolean;
}

/** Tokens of one answer. */
export interface Usage {
  tokensIn: number;
  tokensOut: number;
  /** Those of `tokensIn` that came from the provider's cache, where it tells. */
  cachedIn?: number;
}

/** What any model's answer says, streamed or not. */
export interface Facts {
  dialect: DialectName;
  model: string | null;
  text: string;
  toolCalls: ToolCall[];
  /** Why the model stopped, in the dialect's own word; null when it did not say. */
  finish: string | null;
  /** The refusal's words, or the dialect's word for it; null when the model did not refuse. */
  refusal: string | null;
  /** Counts that the reply names itself; null when it names none. */
  usage: Usage | null;
}

/** What a dialect reads of a document itself; how the model and its counts are named is common to all but where one says so. */
type Said = Pick<Facts, 'text' | 'toolCalls' | 'finish' | 'refusal'> & Partial<Pick<Facts, 'model' | 'usage'>>;

/** A stream put together again: the document that the same API would have answered without streaming. */
export interface Assembled {
  document: unknown;
  /** The stream's own end was seen: a stream without it broke off, whatever the status said. */
  terminated: boolean;
  /** Stable short reason when the stream reported an error or held what cannot be read; undefined when it is sound. */
  error?: string;
}

/** How one API speaks. None of its functions throws, whatever it is given. */
export interface Dialect {
  name: DialectName;
  /** Whether the data of a stream's event can only be of this dialect. */
  claimsEvent(json: Members): boolean;
  /** Whether a whole document is of this dialect. */
  claimsDocument(document: Members): boolean;
  assemble(events: readonly SseEvent[]): Assembled;
  /** Reads what it says, and replaces arguments written as JSON inside a string by their value, so that they compare as JSON. */
  said(document: Members): Said;
  /** Members that differ between any two answers and say nothing of their quality. */
  ignore: readonly string[];
  /** Where the facts stand in the document, to honour a user's `ignore` in the hard invariants as well. */
  places: { text: string; toolName: string; finish: string };
}

/** An object of unknown members. */
export type Members = Record<string, unknown>;

export { asObject as membersOf, isObject as isMembers };

/** An object without prototype: a stream's own member names, `__proto__` among them, cannot reach anything. */
export function emptyMembers(): Members {
  return Object.create(null) as Members;
}

/** Adds to a text that is built up piece by piece. */
export function append(members: Members, key: string, piece: string): void {
  members[key] = (textOf(members[key]) ?? '') + piece;
}

/** Members by index: JavaScript keeps whole numbers in order, whatever order they came in. */
export type ByIndex = Record<number, Members>;

/** The members of an index, empty when nothing came for it before. */
export function membersAt(all: ByIndex, index: number): Members {
  all[index] ??= emptyMembers();
  return all[index];
}

/** The objects of a list; empty for what is none. */
export function listOf(value: unknown): Members[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The value where it is a text, else null. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A count as sent, or null when it is no number that can be one. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= MAX_TOKENS ? value : null;
}

/** Arguments sent as text: their value, or the text itself when it is not JSON. No text at all is no arguments. */
export function parseArguments(text: string): { value: unknown; valid: boolean } {
  if (text.trim() === '') return { value: {}, valid: true };
  const value = parseJson(text);
  return value === undefined ? { value: text, valid: false } : { value, valid: true };
}

/** Reads a call and puts the parsed arguments in the place of their text. Used for every API with OpenAI's `function`. */
export function readFunction(call: Members): ToolCall {
  let valid = true;
  if (typeof call.arguments === 'string') {
    const parsed = parseArguments(call.arguments);
    call.arguments = parsed.value;
    valid = parsed.valid;
  }
  return { name: textOf(call.name) ?? '', arguments: call.arguments, valid };
}

/** What a document says, in the words common to all dialects; one of none may name its model and usage all the same. */
export function factsOf(dialect: Dialect | undefined, document: Members): Facts {
  // Ollama's counts are members of the document itself.
  const { model, usage, modelVersion, usageMetadata, done } = document;
  const said = dialect?.said(document) ?? { text: '', toolCalls: [], finish: null, refusal: null };
  return {
    dialect: dialect?.name ?? 'generic',
    model: textOf(model ?? modelVersion),
    usage: usageOf(usage ?? usageMetadata ?? (done && document)),
    ...said,
  };
}

/**
 * What counts are called, and which are to be added up: in the words of OpenAI, of Anthropic and Cohere (where cached input stands beside
 * the other), of Bedrock, Gemini and Ollama.
 */
const INPUT = [
  ['prompt_tokens'],
  ['input_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'],
  ['inputTokens', 'cacheReadInputTokens', 'cacheWriteInputTokens'],
  ['promptTokenCount', 'toolUsePromptTokenCount'],
  ['prompt_eval_count'],
];
const OUTPUT = [
  ['completion_tokens'],
  ['output_tokens'],
  ['outputTokens'],
  ['candidatesTokenCount', 'thoughtsTokenCount'],
  ['eval_count'],
];
/** Input that came from a cache. */
const CACHED = [
  ['cached_tokens'],
  ['cache_read_input_tokens'],
  ['cacheReadInputTokens'],
  ['cachedContentTokenCount'],
  ['prompt_cache_hit_tokens'],
];

/** The sum of the first names that have a count; null where none has. */
function sumNamed(usage: Members, names: readonly string[][]): number | null {
  for (const parts of names) {
    const counts = parts.map((name) => countOf(usage[name])).filter((count) => count !== null);
    if (counts.length > 0) return counts.reduce((sum, count) => sum + count);
  }
  return null;
}

/** The output that a usage names; null where it names none. */
export function outputOf(usage: Members): number | null {
  return sumNamed(usage, OUTPUT);
}

/** Usage in any provider's names, or null when it names neither count. */
export function usageOf(value: unknown): Usage | null {
  const usage = billedOf(value);
  const tokensIn = sumNamed(usage, INPUT);
  const tokensOut = outputOf(usage);
  if (tokensIn === null && tokensOut === null) return null;
  return { tokensIn: tokensIn ?? 0, tokensOut: tokensOut ?? 0, cachedIn: sumNamed(usage, CACHED) ?? undefined };
}

/**
 * Cohere tells what it bills beside what its model saw; OpenAI tells cached input in an object of its own. Of that no more is taken: other
 * counts in it are parts of the input, also where they are called like Anthropic's, which stand beside the input.
 */
export function billedOf(usage: unknown): Members {
  const billed = asObject(asObject(usage).billed_units ?? usage);
  return {
    cached_tokens: asObject(billed.prompt_tokens_details ?? billed.input_tokens_details).cached_tokens,
    ...billed,
  };
}

/**
 * Puts a stream together, event by event. `ends` names the types of events that end it, `[DONE]` among them; `take` adds an
 * event's members to the document, and returns the reason where the event reports an error.
 */
export function assembled(
  events: readonly SseEvent[],
  ends: readonly string[],
  take: (json: Members, type: string | null, document: Members) => string | undefined,
): Assembled & { document: Members } {
  const document = emptyMembers();
  let terminated = false;
  let error: string | undefined;
  for (const { event, json, text } of events) {
    // What is named an error is one, whatever its data call themselves.
    const name = event === 'error' ? event : (textOf(asObject(json).type) ?? event);
    const type = text.trim() === '[DONE]' ? '[DONE]' : name;
    terminated ||= ends.includes(type ?? '');
    if (type === '[DONE]') continue;
    const failure = isObject(json) ? take(json, type, document) : 'bad-event';
    error ??= failure;
  }
  return { document, terminated, error };
}

/** Whether an event of whatever API tells that its answer failed. JSON-RPC's errors are answers like others. */
export function tellsOfError(name: string | null, data: unknown): boolean {
  const { type, error, jsonrpc, delta } = asObject(data);
  const isTold = isObject(error) || (typeof error === 'string' && error !== '');
  return name === 'error' || type === 'error' || (isTold && !jsonrpc) || asObject(delta).finish_reason === 'ERROR';
}

/** A reason fit for a record: the provider's code or type of error, never its message, which may quote the request. */
export function errorReason(error: unknown): string {
  const { code, type } = asObject(error);
  const named = code || type;
  // An object's `toString` may be the origin's own member, and no function.
  const word = typeof named === 'object' ? '' : String(named ?? '');
  return /^[\w.-]{1,40}$/.test(word) ? `error-event:${word}` : 'error-event';
}
