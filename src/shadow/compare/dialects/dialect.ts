/**
 * Owns the common words for what language models answer, whichever API they speak: one event of a stream, the re-assembled
 * document, and the facts read from a document. It refuses to know any one API: those are the files beside it.
 */

import { isObject } from '../../../json.ts';
import { parseJson } from '../json-text.ts';

export type DialectName = 'openai-chat' | 'openai-responses' | 'anthropic-messages' | 'workers-ai' | 'generic';

export interface SseEvent {
  /** The event's name, or null when the stream gave none. */
  event: string | null;
  /** The parsed data, or undefined when it is not JSON. */
  json: unknown;
  text: string;
}

export interface ToolCall {
  name: string;
  /** The parsed arguments, or the text as it came where that is not JSON. */
  arguments: unknown;
  valid: boolean;
}

export interface Usage {
  tokensIn: number;
  tokensOut: number;
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

/** A stream put together again: the document that the same API would have answered without streaming. */
export interface Assembled {
  document: unknown;
  /** The stream's own end was seen: a stream without it broke off, whatever the status said. */
  terminated: boolean;
  /** Stable short reason when the stream reported an error or held what cannot be read; undefined when it is sound. */
  error?: string;
}

export interface Dialect {
  name: DialectName;
  /** Whether a stream's event can only be of this dialect. */
  claimsEvent(event: SseEvent): boolean;
  /** Whether a whole document is of this dialect. */
  claimsDocument(document: Members): boolean;
  assemble(events: readonly SseEvent[]): Assembled;
  /** Reads the facts, and replaces arguments written as JSON inside a string by their value, so that they compare as JSON. */
  facts(document: Members): Facts;
  /** Members that differ between any two answers and say nothing of their quality. */
  ignore: readonly string[];
  /** Where the facts stand in the document, to honour a user's `ignore` in the hard invariants as well. */
  places: { text: string; toolName: string; finish: string };
}

export type Members = Record<string, unknown>;

export { isObject as isMembers };

/** An object without prototype: a stream's own member names, `__proto__` among them, cannot reach anything. */
export function emptyMembers(): Members {
  return Object.create(null) as Members;
}

/** The value as an object; an empty one where it is none. */
export function membersOf(value: unknown): Members {
  return isObject(value) ? value : {};
}

/** Adds to a text that is built up piece by piece. */
export function append(members: Members, key: string, piece: string): void {
  members[key] = (textOf(members[key]) ?? '') + piece;
}

/** The values by index, whatever order they came in. */
export function inOrder<T>(values: ReadonlyMap<number, T>): T[] {
  return [...values].sort(([a], [b]) => a - b).map(([, value]) => value);
}

export function listOf(value: unknown): Members[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A count as sent, or null when it is no number that can be one. */
export function countOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : null;
}

/** Arguments sent as text: their value, or the text itself when it is not JSON. No text at all is no arguments. */
export function parseArguments(text: string): { value: unknown; valid: boolean } {
  if (text.trim() === '') return { value: {}, valid: true };
  const value = parseJson(text);
  return value === undefined ? { value: text, valid: false } : { value, valid: true };
}

/** A reason fit for a record: the provider's error type, never its message, which may quote the request. */
export function errorReason(type: unknown): string {
  const word = typeof type === 'string' || typeof type === 'number' ? String(type) : '';
  return /^[\w.-]{1,40}$/.test(word) ? `error-event:${word}` : 'error-event';
}
