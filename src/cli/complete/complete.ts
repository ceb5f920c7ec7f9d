/**
 * Owns what may come next on a command line: verbs, options, choices, and names of routes and variants, for which it asks the
 * Worker. It never prints an error: a shell that asks wants words or silence.
 */

import type { ArgsDef } from 'citty';
import { connect } from '../client.ts';
import { lookAt, routeStatuses, variantsOf } from '../route.ts';
import type { Terminal } from '../terminal.ts';
import { type CommonArgs, commonArgs, type Verb } from '../verb.ts';
import { firstWords, groupOf, verbs } from '../verbs/index.ts';

/** Whoever presses the tabulator waits no longer than this for the Worker. */
const PATIENCE_MS = 1_500;

/** What fits after a command line such as `headgate switch det`. */
export async function complete(line: string, terminal: Terminal): Promise<string[]> {
  const words = line.trimStart().split(/\s+/);
  const last = words.at(-1) ?? '';
  const before = words.slice(1, -1);
  const found = await candidates(before, last, terminal).catch(() => []);
  return found.filter((word) => word.startsWith(last));
}

async function candidates(before: string[], last: string, terminal: Terminal): Promise<string[]> {
  const [first, second] = before;
  if (first === undefined) return firstWords();
  const seconds = groupOf(first);
  if (seconds.length > 0 && second === undefined) return seconds;
  const name = seconds.length > 0 ? `${first} ${second}` : first;
  const listed = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (listed === undefined) return [];
  const chosen = await listed.load();
  return ofVerb(chosen, before.slice(name.split(' ').length), last, terminal);
}

async function ofVerb(chosen: Verb, given: string[], last: string, terminal: Terminal): Promise<string[]> {
  const args: ArgsDef = { ...chosen.args, ...commonArgs };
  const open = optionOf(given.at(-1), args);
  if (open !== undefined) {
    const [option, arg] = open;
    return arg.type === 'enum' ? [...(arg.options ?? [])] : namesFor(option, [], given, args, terminal);
  }
  if (last.startsWith('-'))
    return Object.keys(args).flatMap((name) => (args[name]!.type === 'positional' ? [] : [`--${name}`]));
  const wanted = Object.keys(args).filter((name) => args[name]!.type === 'positional');
  const words = positionals(given, args);
  const index = Math.min(words.length, chosen.many ? wanted.length - 1 : words.length);
  return wanted[index] === undefined ? [] : namesFor(wanted[index], words, given, args, terminal);
}

/** The option that the next word is the value of. */
function optionOf(word: string | undefined, args: ArgsDef): [string, ArgsDef[string]] | undefined {
  const name = word?.startsWith('--') ? word.slice(2) : undefined;
  const arg = name !== undefined && Object.hasOwn(args, name) ? args[name] : undefined;
  return arg === undefined || arg.type === 'boolean' || arg.type === 'positional' ? undefined : [name!, arg];
}

function positionals(given: string[], args: ArgsDef): string[] {
  return given.filter((word, i) => !word.startsWith('-') && optionOf(given[i - 1], args) === undefined);
}

async function namesFor(
  wanted: string,
  words: string[],
  given: string[],
  args: ArgsDef,
  terminal: Terminal,
): Promise<string[]> {
  if (wanted === 'shell') return ['bash', 'zsh', 'fish'];
  const connected = connect(connectionArgs(given, args), patient(terminal));
  if (wanted === 'route') return (await routeStatuses(connected)).map(({ name }) => name);
  if (!['variant', 'candidate', 'winner', 'shares', 'shadow'].includes(wanted)) return [];
  const route = words[0] ?? positionals(given, args)[0];
  if (route === undefined) return [];
  const variants = variantsOf(await lookAt(route, connected));
  return wanted === 'shares' || wanted === 'shadow' ? variants.map((name) => `${name}=`) : variants;
}

/** The Worker that the unfinished command line names. */
function connectionArgs(given: string[], args: ArgsDef): CommonArgs {
  const optionValue = (name: string) => given.find((_, i) => given[i - 1] === `--${name}` && Object.hasOwn(args, name));
  return { _: [], url: optionValue('url'), token: optionValue('token') } as unknown as CommonArgs;
}

function patient(terminal: Terminal): Terminal {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return { ...terminal, fetch: (input, init) => terminal.fetch(input, { ...init, signal }) };
}
