/** Owns what a verb is, and the options that every verb has. */

import type { ArgsDef, ParsedArgs } from 'citty';
import type { ExitCode } from './stop.ts';
import type { Terminal } from './terminal.ts';

/** Options of every verb. */
export const commonArgs = {
  url: {
    type: 'string',
    description: 'The Worker to talk to; else HEADGATE_URL, else http://127.0.0.1:8787',
    valueHint: 'URL',
  },
  token: {
    type: 'string',
    description: 'Its ADMIN_TOKEN; else HEADGATE_TOKEN, else (on this machine) .dev.vars',
    valueHint: 'TOKEN',
  },
  as: { type: 'string', description: 'Who is acting; kept in the history', valueHint: 'NAME' },
  json: { type: 'boolean', description: 'Print JSON' },
} as const satisfies ArgsDef;

/** Options of every verb that changes something. */
export const writeArgs = {
  reason: { type: 'string', description: 'Kept in the history', valueHint: 'TEXT' },
  yes: { type: 'boolean', description: 'Do not ask; without a terminal nothing is ever asked' },
  'dry-run': { type: 'boolean', description: 'Show what will change, and change nothing' },
} as const satisfies ArgsDef;

/** Options of every verb that changes a route's traffic. */
export const routeWriteArgs = {
  ...writeArgs,
  'if-match': {
    type: 'string',
    description: 'Only if the split is still at this revision, else exit 1',
    valueHint: 'REVISION',
  },
} as const satisfies ArgsDef;

export type WriteArgs = ParsedArgs<typeof writeArgs>;
export type RouteWriteArgs = ParsedArgs<typeof routeWriteArgs>;
export type CommonArgs = ParsedArgs<typeof commonArgs>;

/** A verb of the CLI. */
export interface Verb<A extends ArgsDef = ArgsDef> {
  summary: string;
  args: A;
  /** The last positional argument may be given several times; `args._` has them all, after the other positional ones. */
  many?: boolean;
  /** Ends with its exit status (nothing means 0), or throws `Stop`. */
  run(args: ParsedArgs<A & typeof commonArgs>, terminal: Terminal): Promise<ExitCode | undefined>;
}

/** A verb whose `run` knows the types of its arguments. */
export function verb<const A extends ArgsDef>(definition: Verb<A>): Verb {
  return definition as unknown as Verb;
}
