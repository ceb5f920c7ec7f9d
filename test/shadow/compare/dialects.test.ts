import { describe, expect, it } from 'vitest';
import { compareReplies } from '../../../src/shadow/compare/compare.ts';
import type { Observation } from '../../../src/shadow/observation.ts';
import { json, observed, stream } from './observed.ts';

const compare = (live: Observation, candidate: Observation) =>
  compareReplies(live, candidate, { options: {}, role: 'candidate' });
const classOf = async (live: Observation, candidate: Observation) => (await compare(live, candidate)).class;

const events = (...chunks: object[]) =>
  stream([...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''));

describe('what servers write in more than one way', () => {
  it('is one choice, whether chunks say so by its index or by none', async () => {
    const answer = (...indexes: object[]) =>
      events(...indexes.map((index, at) => ({ choices: [{ ...index, delta: { content: `word${at} ` } }] })));
    expect(await classOf(answer({ index: 0 }, { index: 0 }), answer({}, {}))).toBe('match');
    expect(await classOf(answer({ index: 0 }, { index: 0 }), answer({ index: 0 }, {}))).toBe('match');
  });

  it('is a call without arguments, by an empty text or an empty object', async () => {
    const call = (args: string) => ({ id: 'c', type: 'function', function: { name: 'now', arguments: args } });
    const answer = (args: string) =>
      json({ choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call(args)] } }] });
    expect(await compare(answer('{}'), answer(''))).toMatchObject({ class: 'match', invariants: [] });
    expect((await compare(answer('{}'), answer('{'))).invariants).not.toEqual([]);
  });

  it('is JSON with a byte order mark before it, as some frameworks send', async () => {
    const marked = observed('\ufeff{"a": 1}', 'application/json');
    expect(await classOf(json({ a: 1 }), marked)).toBe('match');
    expect(await classOf(json({ a: 2 }), marked)).toBe('body-mismatch');
  });
});

describe('what only looks alike', () => {
  it('is not the same in the words of a text completion', async () => {
    const answer = (text: string) => events({ choices: [{ index: 0, text: 'Be' }] }, { choices: [{ index: 0, text }] });
    expect(await classOf(answer('rn'), answer('rn'))).toBe('match');
    expect(await classOf(answer('rn'), answer('rlin'))).toBe('body-mismatch');
  });

  it('is not a model’s answer because it calls itself a message', async () => {
    const message = (text: string) => json({ type: 'message', content: text });
    expect(await compare(message('sent'), message('lost'))).toMatchObject({ class: 'body-mismatch', dialect: '' });
  });
});
