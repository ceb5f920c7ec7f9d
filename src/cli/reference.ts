/**
 * Owns the CLI's reference as Markdown, made from the verbs' own definitions and from nothing else. The README holds it between
 * two markers, and a test holds the README to it. Run it to print it: `node src/cli/reference.ts`.
 */

import { pathToFileURL } from 'node:url';
import type { ArgDef, ArgsDef } from 'citty';
import { commonArgs, routeWriteArgs, type Verb, writeArgs } from './verb.ts';
import { verbs } from './verbs/index.ts';

/** Between these two the README holds the reference. */
export const beginMarker = '<!-- cli:begin -->';
export const endMarker = '<!-- cli:end -->';

/** What stands between the markers, without a line break at either end. */
export async function renderReference(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(verbs).map(async ([name, { load }]) => sectionOf(name, await load())),
  );
  return [head, ...sections, tail].join('\n\n');
}

const head = [
  'Run it as `npm run headgate -- VERB …`, or as `headgate VERB …` where it is on the path (Node 22.18 or later).',
  '',
  'Every verb takes:',
  '',
  ...optionLines(commonArgs),
  '- `--help`: what the verb takes',
  '',
  'A verb that changes something also takes:',
  '',
  ...optionLines(writeArgs),
  `- \`--if-match REVISION\`: ${routeWriteArgs['if-match'].description} (of the config: its hash)`,
].join('\n');

const tail = [
  '**Asking.** Verbs that change something ask before they act when a person sits at the terminal; `--yes` skips the question, and a no',
  'exits 1. In a script or a pipe nothing is asked: the command does what it says. `--dry-run` shows the change and acts on nothing.',
  'What changes traffic forward (`weights`, `switch`, `rollout start`, `promote`, `resume`) is bound to the revision that was shown: if',
  'somebody else moved meanwhile, it is refused and nothing is lost. The ways back (`abort`, `pause`, `rollback`, `manual clear`) are not.',
  '',
  '**Exit status.** 0 done · 1 refused (and why, and how to mend it) · 2 usage. `status --wait`: 0 promoted or completed · 3 aborted ·',
  '4 paused. A rollout that awaits approval is waited for, unless `--until-approval` is given (then 4). A reader that leaves early (`| head`)',
  'changes none of these, but ends `--watch` and `--follow` (141).',
  '',
  '**Completion.** `source <(headgate completion bash)` (or `zsh`); `headgate completion fish | source`. Names of routes and variants come',
  'from the Worker that `HEADGATE_URL` names.',
].join('\n');

function sectionOf(name: string, { summary, args, many }: Verb): string {
  const words = positionalWords(args, many === true);
  const { reason, yes, 'dry-run': dryRun, 'if-match': _, ...own } = args;
  const isWrite = reason !== undefined;
  const options = [
    ...optionLines({ ...own, ...(isWrite ? {} : present({ yes, 'dry-run': dryRun })) }),
    ...(isWrite ? ['- and the options of a change'] : []),
  ];
  return [
    `#### \`${['headgate', name, ...words].join(' ')}\``,
    '',
    `${summary}.`,
    ...(words.length > 0 ? ['', ...positionalLines(args)] : []),
    ...(options.length > 0 ? [...(words.length > 0 ? [] : ['']), ...options] : []),
  ].join('\n');
}

function present(args: Record<string, ArgDef | undefined>): ArgsDef {
  return Object.fromEntries(Object.entries(args).flatMap(([name, arg]) => (arg === undefined ? [] : [[name, arg]])));
}

function positionalWords(args: ArgsDef, many: boolean): string[] {
  const names = Object.entries(args).filter(([, arg]) => arg.type === 'positional');
  return names.map(([name, arg], i) => {
    const word = `${name.toUpperCase()}${many && i === names.length - 1 ? '…' : ''}`;
    return arg.required === false ? `[${word}]` : word;
  });
}

function positionalLines(args: ArgsDef): string[] {
  return Object.entries(args)
    .filter(([, arg]) => arg.type === 'positional')
    .map(([name, { description }]) => `- \`${name.toUpperCase()}\`: ${description}`);
}

function optionLines(args: ArgsDef): string[] {
  return Object.entries(args)
    .filter(([, arg]) => arg.type !== 'positional')
    .map(([name, arg]) => `- \`--${name}${valueWords(arg)}\`: ${arg.description}${defaultOf(arg)}`);
}

function valueWords(arg: ArgDef): string {
  if (arg.type === 'boolean') return '';
  return ` ${arg.type === 'enum' ? arg.options?.join('|') : (arg.valueHint ?? 'VALUE')}`;
}

function defaultOf({ default: value, required }: ArgDef): string {
  if (required) return ' (required)';
  return value === undefined ? '' : ` (default \`${value}\`)`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await renderReference());
