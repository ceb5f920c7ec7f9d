/** Owns the way from a command line to a verb, and from how the verb ended to an exit status. It knows the verbs' names, not what they do. */

import { parseArgs as nodeParseArgs, stripVTControlCharacters } from 'node:util';
import { type ArgsDef, parseArgs, renderUsage } from 'citty';
import { nearest } from '../config/nearest.ts';
import { didYouMean } from './names.ts';
import { faultLines } from './print.ts';
import { type ExitCode, Stop, type Trouble, usage } from './stop.ts';
import type { Terminal } from './terminal.ts';
import { safe } from './text.ts';
import { commonArgs } from './verb.ts';
import { firstWords, groupOf, verbs } from './verbs/index.ts';

type Token = NonNullable<ReturnType<typeof nodeParseArgs>['tokens']>[number];

/** Runs one command line. Never throws for what a user can do; a bug still ends in a stack trace. */
export async function run(argv: string[], terminal: Terminal): Promise<ExitCode> {
  const json = argv.includes('--json');
  try {
    return await dispatch(argv, terminal);
  } catch (cause) {
    if (!(cause instanceof Stop)) throw cause;
    const { trouble } = cause;
    terminal.note(json ? JSON.stringify({ error: trouble }) : troubleText(trouble, terminal));
    return trouble.exitCode;
  }
}

async function dispatch(argv: string[], terminal: Terminal): Promise<ExitCode> {
  const [word] = argv;
  if (word === 'help' && argv.length > 1) return dispatch([...argv.slice(1), '--help'], terminal);
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    return listVerbs(Object.keys(verbs), word !== undefined, terminal);
  }
  // Called by shell completions, not by people.
  if (word === 'complete') {
    const { complete } = await import('./complete/complete.ts');
    terminal.out((await complete(argv.at(-1) ?? '', terminal)).join('\n'));
    return 0;
  }
  const name = nameOf(argv);
  if (name === undefined) {
    const names = groupOf(word).map((second) => `${word} ${second}`);
    return listVerbs(names, argv.length > 1, terminal);
  }
  const chosen = await verbs[name]!.load();
  const args = { ...chosen.args, ...commonArgs };
  const rest = argv.slice(name.split(' ').length);
  if (rest.includes('--help') || rest.includes('-h')) {
    const help = await renderUsage({ meta: { name: `headgate ${name}`, description: chosen.summary }, args });
    const text = terminal.paint.isColorSupported ? help : stripVTControlCharacters(help);
    terminal.out(text.replace(/ +$/gm, ''));
    return 0;
  }
  checkArguments(name, rest, args, chosen.many === true);
  return (await chosen.run(parseArgs(rest, args), terminal)) ?? 0;
}

/** The verb's full name; undefined for a group without a verb. Throws `Stop` for an unknown verb. */
function nameOf([first, second]: string[]): string | undefined {
  const seconds = groupOf(first!);
  if (seconds.length > 0) {
    if (second === undefined || second === '--help' || second === '-h') return undefined;
    if (seconds.includes(second)) return `${first} ${second}`;
    throw usage(`${first} has no verb ${second}.`, didYouMean(second, seconds));
  }
  if (Object.hasOwn(verbs, first!)) return first;
  throw usage(`There is no verb ${first}.`, didYouMean(first!, firstWords()));
}

/**
 * Refuses unknown options, surplus words, and arguments that are missing or none of the choices. The parser itself ignores the first two
 * silently, and a typo must not act on the wrong thing; and only here is the verb's name known.
 */
function checkArguments(word: string, rest: string[], args: ArgsDef, isMany: boolean): void {
  const options = Object.fromEntries(
    Object.entries(args).flatMap(([name, arg]) =>
      arg.type === 'positional'
        ? []
        : [[name, { type: arg.type === 'boolean' ? ('boolean' as const) : ('string' as const) }]],
    ),
  );
  const { tokens } = nodeParseArgs({ args: rest, options, strict: false, allowPositionals: true, tokens: true });
  const see = `headgate ${word} --help shows what it takes`;
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = options[token.name];
    if (!option) throw usage(`${word} has no option ${token.rawName}.`, meant(token.name, Object.keys(options)) ?? see);
    if (option.type === 'boolean') continue;
    if (!token.value) throw usage(`${token.rawName} needs a value.`, see);
    // Where its value was forgotten (or was a shell variable without one), an option must not swallow a --dry-run.
    if (token.inlineValue === false && token.value.startsWith('--')) {
      const mend = `give it one; a value that begins so is written ${token.rawName}=${token.value}`;
      throw usage(`${token.rawName} needs a value.`, mend);
    }
  }
  const wanted = Object.values(args).filter((arg) => arg.type === 'positional');
  const given = tokens.filter((token) => token.kind === 'positional');
  const surplus = given[wanted.length];
  if (surplus && !isMany) throw usage(`${word} does not know what to do with ${surplus.value}.`, see);
  checkValues(args, tokens, { word, see });
}

function checkValues(args: ArgsDef, tokens: readonly Token[], { word, see }: { word: string; see: string }): void {
  const values = new Map(tokens.flatMap((token) => (token.kind === 'option' ? [[token.name, token.value]] : [])));
  const words = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  for (const [name, arg] of Object.entries(args)) {
    const isWord = arg.type === 'positional';
    // An empty word is what a shell makes of "$ROUTE" where that is not set.
    const isGiven = isWord ? Boolean(words.shift()) : values.has(name);
    if (arg.required && !isGiven) throw usage(`${word} needs ${isWord ? name.toUpperCase() : `--${name}`}.`, see);
    const value = values.get(name);
    if (arg.type === 'enum' && value !== undefined && !arg.options?.includes(value)) {
      throw usage(`--${name} takes one of ${arg.options?.join(', ')}, not ${value}.`, see);
    }
  }
}

function meant(option: string, known: readonly string[]): string | null {
  const near = nearest(option, known);
  return near === null ? null : `did you mean --${near}?`;
}

/** Lists the verbs: on standard output if that was asked for, else on standard error, so that no script takes it for an answer. */
function listVerbs(names: readonly string[], isAsked: boolean, terminal: Terminal): ExitCode {
  if (isAsked) terminal.out(overview(names));
  else terminal.note(overview(names));
  return isAsked ? 0 : 2;
}

function overview(names: readonly string[]): string {
  const width = Math.max(...names.map((name) => name.length));
  return [
    'headgate: splits, mirrors, compares and rolls out traffic between versions of an HTTP service',
    '',
    'usage: headgate VERB [arguments] [--url URL] [--token TOKEN] [--as NAME] [--json]',
    '',
    ...names.map((name) => `  ${name.padEnd(width)}  ${verbs[name]!.summary}`),
    '',
    'headgate VERB --help tells more. Exit status: 0 done, 1 refused, 2 usage;',
    'of status --wait also 3 aborted, 4 paused.',
  ].join('\n');
}

function troubleText({ what, why, mend, faults }: Trouble, terminal: Terminal): string {
  const { red, dim } = terminal.paint;
  const lines = [`${red('✗')} ${safe(what)}`];
  if (why) lines.push(...`  ${why}`.split('\n').map(safe));
  if (faults) lines.push(...faultLines(faults, terminal));
  if (mend) lines.push(`  ${dim('→')} ${safe(mend)}`);
  return lines.join('\n');
}
