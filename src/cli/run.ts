/** Owns the way from a command line to a verb and from its end to an exit status. It knows the verbs' names and nothing of their work. */

import { parseArgs as nodeParseArgs } from 'node:util';
import { type ArgsDef, parseArgs, renderUsage } from 'citty';
import { faultLines } from './print.ts';
import { type ExitCode, Stop, type Trouble, usage } from './stop.ts';
import type { Terminal } from './terminal.ts';
import { commonArgs, type Verb } from './verb.ts';
import { verbs } from './verbs/index.ts';

/** Runs one command line. Never throws for what a user can do; a bug still ends in a stack trace. */
export async function run(argv: string[], terminal: Terminal): Promise<ExitCode> {
  const json = argv.includes('--json');
  try {
    return await dispatch(argv, terminal);
  } catch (cause) {
    const trouble = troubleOf(cause);
    if (!trouble) throw cause;
    terminal.note(json ? JSON.stringify({ error: trouble }) : troubleText(trouble, terminal));
    return trouble.exitCode;
  }
}

async function dispatch(argv: string[], terminal: Terminal): Promise<ExitCode> {
  const [word] = argv;
  if (word === undefined || word === 'help' || word === '--help' || word === '-h') {
    terminal.out(await overview());
    return word === undefined ? 2 : 0;
  }
  const found = Object.hasOwn(verbs, word) ? verbs[word] : undefined;
  if (!found) throw usage(`There is no verb ${word}.`, `use one of: ${Object.keys(verbs).join(', ')}`);
  const chosen = await found.load();
  const args = { ...chosen.args, ...commonArgs };
  const rest = argv.slice(1);
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(await renderUsage({ meta: { name: `headgate ${word}`, description: chosen.summary }, args }));
    return 0;
  }
  checkArguments(word, rest, args);
  return (await chosen.run(parseArgs(rest, args), terminal)) ?? 0;
}

/** The parser below lets unknown options and surplus words pass in silence; a typo must not act on the wrong thing. */
function checkArguments(word: string, rest: string[], args: ArgsDef): void {
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
    if (!option) throw usage(`${word} has no option ${token.rawName}.`, see);
    if (option.type === 'string' && !token.value) throw usage(`${token.rawName} needs a value.`, see);
  }
  const wanted = Object.values(args).filter((arg) => arg.type === 'positional');
  const given = tokens.filter((token) => token.kind === 'positional');
  const surplus = given[wanted.length];
  if (surplus) throw usage(`${word} does not know what to do with ${surplus.value}.`, see);
}

async function overview(): Promise<string> {
  const width = Math.max(...Object.keys(verbs).map((name) => name.length));
  return [
    'headgate: splits, mirrors, compares and rolls out traffic between versions of an HTTP service',
    '',
    'usage: headgate VERB [arguments] [--url URL] [--token TOKEN] [--as NAME] [--json]',
    '',
    ...Object.entries(verbs).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'headgate VERB --help tells more. Exit status: 0 done, 1 refused, 2 usage.',
  ].join('\n');
}

function troubleOf(cause: unknown): Trouble | undefined {
  if (cause instanceof Stop) return cause.trouble;
  // citty's own complaint about an argument that is missing or not one of the choices.
  if (cause instanceof Error && cause.name === 'CLIError') {
    return { exitCode: 2, what: cause.message, mend: 'headgate VERB --help shows what it takes' };
  }
  return undefined;
}

function troubleText({ what, why, mend, faults }: Trouble, terminal: Terminal): string {
  const { red, dim } = terminal.paint;
  const lines = [`${red('✗')} ${what}`];
  if (why) lines.push(`  ${why}`);
  if (faults) lines.push(...faultLines(faults, terminal));
  if (mend) lines.push(`  ${dim('→')} ${mend}`);
  return lines.join('\n');
}

export type { Verb };
