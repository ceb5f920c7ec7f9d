import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commonArgs } from '../../src/cli/verb.ts';
import { groupOf, verbs } from '../../src/cli/verbs/index.ts';
import { readmeFile, root } from './sections.ts';
import { commands, headgateWords, inlineCode } from './text.ts';

const readme = readFileSync(readmeFile, 'utf8');
const scripts = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;
const inBlocks = commands(readme);
const written = [...inBlocks, ...inlineCode(readme)];

/** The verb that a command names, with what follows it; null for a word that is no verb. */
async function verbOf(given: readonly string[]) {
  const [first = '', second = ''] = given;
  const length = groupOf(first).length > 0 ? 2 : 1;
  const name = length === 2 ? `${first} ${second}` : first;
  const listed = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  return listed === undefined ? null : { name, verb: await listed.load(), rest: given.slice(length) };
}

describe('the commands of the README', () => {
  const ours = written.flatMap((command) => {
    const given = headgateWords(command);
    return given === null || /^(VERB|--)/.test(given[0] ?? '')
      ? []
      : [{ command, given, isRunnable: inBlocks.includes(command) }];
  });

  it('name verbs that there are', async () => {
    expect(ours.length).toBeGreaterThan(20);
    for (const { command, given } of ours) expect(await verbOf(given), command).not.toBeNull();
  });

  it('give those verbs no option that they do not know', async () => {
    for (const { command, given } of ours) {
      const found = await verbOf(given);
      const known = Object.keys({ ...found?.verb.args, ...commonArgs, help: {} });
      const options = found?.rest.filter((word) => word.startsWith('--')) ?? [];
      for (const option of options) expect(known, command).toContain(option.slice(2).split('=')[0]);
    }
  });

  it('give every verb in a shell block the arguments that it must have', async () => {
    for (const { command, given, isRunnable } of ours) {
      const found = await verbOf(given);
      if (found === null || !isRunnable || given.includes('--help')) continue;
      const { args } = found.verb;
      const isValue = (word: string, before: string | undefined) => {
        const option = before?.startsWith('--') ? { ...args, ...commonArgs }[before.slice(2)] : undefined;
        return !word.startsWith('--') && option !== undefined && option.type !== 'boolean';
      };
      const positional = found.rest.filter((word, at, all) => !word.startsWith('--') && !isValue(word, all[at - 1]));
      const places = Object.values(args).filter((arg) => arg.type === 'positional');
      const needed = places.filter((arg) => arg.required !== false).length;
      expect(positional.length, command).toBeGreaterThanOrEqual(needed);
      if (!found.verb.many) expect(positional.length, command).toBeLessThanOrEqual(places.length);
    }
  });

  it('call only scripts that package.json has', () => {
    const called = [...readme.matchAll(/npm run (?:--silent )?([a-z][\w:-]*)/g)].map((match) => match[1]!);
    expect(called).toContain('bench:stats');
    for (const script of called) expect(Object.keys(scripts), script).toContain(script);
  });

  it('name --remote or --local wherever wrangler reads or writes KV', () => {
    const kv = written.filter((command) => /wrangler kv (key|bulk) /.test(command));
    expect(kv.length).toBeGreaterThan(8);
    for (const command of kv) expect(command).toMatch(/ --(remote|local)\b/);
  });

  it('write weights that the route of the demo would take', () => {
    const weights = written.flatMap((command) => command.match(/weights:detect '(\{.*?\})'/)?.[1] ?? []);
    expect(weights.length).toBeGreaterThan(3);
    for (const text of weights) {
      const shares = Object.values(JSON.parse(text) as Record<string, number>);
      expect([0, 100], text).toContain(shares.reduce((sum, share) => sum + share, 0));
    }
  });

  it('say how to test and to start after a fresh clone', () => {
    expect(inBlocks).toContain('npm ci');
    expect(readme).toContain('npm ci && npm test');
    expect(readme).toContain('npm ci && npm start');
  });
});
