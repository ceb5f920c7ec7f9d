import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseCases } from '../../src/cli/check/cases.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { readmeFile } from './sections.ts';
import { blocks } from './text.ts';

const examples = blocks(readFileSync(readmeFile, 'utf8'), 'json').map((text) => ({ text, value: JSON.parse(text) }));
const configs = examples.filter(({ value }) => !Array.isArray(value));
const plans = examples.filter(({ value }) => Array.isArray(value));

/** A config with every secret and service that an example may name. */
const check = (text: string) => parseConfig(text, { unknownKeys: 'fault', secrets: () => true, services: () => true });

describe('the examples of the README', () => {
  it('are configs without a fault', () => {
    expect(configs.length).toBeGreaterThanOrEqual(3);
    for (const { text } of configs) expect(check(text), text).toMatchObject({ ok: true });
  });

  it('warn of nothing', () => {
    for (const { text } of configs) {
      const parsed = check(text);
      expect(parsed.ok ? parsed.value.warnings : parsed.error, text).toEqual([]);
    }
  });

  it('show a blue-green pair, a canary of 5 % with guardrails, and a shadow', () => {
    const parsed = configs.flatMap(({ text }) => {
      const one = check(text);
      return one.ok ? one.value.config.routes : [];
    });
    expect(parsed.some(({ weights }) => weights.blue === 100 && weights.green === 0)).toBe(true);
    expect(parsed.some(({ weights, guardrails }) => weights.green === 5 && guardrails.length > 0)).toBe(true);
    expect(parsed.some(({ shadows }) => shadows.length > 0)).toBe(true);
  });

  it('are plans that a route takes', () => {
    expect(plans.length).toBeGreaterThanOrEqual(1);
    for (const { text, value } of plans) {
      const variants = { blue: { url: 'https://a.example.com' }, green: { url: 'https://b.example.com' } };
      // A plan may carry the route's experiment.
      const experiment = { id: 'shown', primary: ['latency'] };
      const config = { version: 1, routes: [{ name: 'main', variants, experiment, plans: { shown: value } }] };
      expect(check(JSON.stringify(config)), text).toMatchObject({ ok: true, value: { warnings: [] } });
    }
  });

  it('are cases that `headgate check` takes', () => {
    const [cases] = blocks(readFileSync(readmeFile, 'utf8'), 'jsonl');
    expect(parseCases(cases ?? '')).toMatchObject({ ok: true });
  });
});
