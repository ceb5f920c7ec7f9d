import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Problem } from './calls.ts';
import { mounted, problemOf, token } from './calls.ts';

const admin = join(import.meta.dirname, '../../src/admin');

describe('every refusal of the controls', () => {
  it('is made by the one function whose type asks for a way to mend it', () => {
    const others = readdirSync(admin)
      .filter((file) => file.endsWith('.ts') && file !== 'input.ts')
      .filter((file) => /\bproblem\(|new Response\(/.test(readFileSync(join(admin, file), 'utf8')));
    expect(others).toEqual([]);
  });

  it.each<[string, string, unknown?, Record<string, string>?]>([
    ['GET', '/nothing'],
    ['PUT', '/health'],
    ['GET', '/preview'],
    ['GET', '/preview?token=x'],
    ['POST', '/outcomes', '['],
    ['POST', '/outcomes', []],
    ['POST', '/outcomes', 'x'.repeat(70_000)],
    ['POST', '/outcomes', { route: 'nowhere', metric: 'x' }],
    ['POST', '/outcomes', 7],
    ['POST', '/outcomes', {}, { origin: 'https://evil.example' }],
    ['GET', '/api/config'],
    ['PUT', '/api/config', {}],
    ['POST', '/api/config/validate', {}],
    ['POST', '/api/config/validate', 'x'.repeat(300_000)],
    ['GET', '/api/routes'],
    ['GET', '/api/routes/detect'],
    ['PUT', '/api/routes/detect/split', {}],
    ['POST', '/api/routes/detect/rollout', { to: 'green', plan: [] }],
    ['POST', '/api/routes/detect/preview', { variant: 'red' }],
    ['POST', '/api/routes/nowhere/preview', { variant: 'blue' }],
    ['POST', '/api/routes/shop/preview', { variant: 'blue', host: 'other.example' }],
    ['GET', '/api/routes/detect/comparisons'],
    ['GET', '/api/routes/detect/experiment'],
    ['GET', '/api/routes/nowhere/experiment'],
    ['GET', '/api/records'],
    ['GET', '/api/sample-size'],
    ['GET', '/api/doctor?route=-'],
    ['GET', '/api/records', undefined, { authorization: 'Bearer wrong' }],
    ['GET', '/api/records', undefined, { authorization: '' }],
  ])('says what, why and how to mend it: %s %s', async (method, path, body, headers = {}) => {
    const given = 'authorization' in headers ? null : token;
    const answer = await mounted()(method, path, body, { token: given, headers });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    const problem: Problem = await problemOf(answer);
    expect(problem.code).toMatch(/^[a-z_]+$/);
    expect(problem.code).not.toBe('internal');
    for (const words of [problem.detail, problem.mend]) expect(words).toMatch(/\w+ \w+/);
    for (const fault of problem.faults ?? []) expect(fault.mend).toBeTruthy();
  });
});
