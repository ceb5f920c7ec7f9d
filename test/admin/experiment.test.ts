import { describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import type { Env } from '../../src/env.ts';
import type { UnitRow } from '../../src/experiment/words.ts';
import { mounted, problemOf } from './calls.ts';

const units = '/api/routes/detect/experiment/units';

const document = {
  version: 1,
  routes: [
    {
      name: 'detect',
      variants: { blue: { url: 'https://blue.example' }, green: { url: 'https://green.example' } },
      weights: { blue: 50, green: 50 },
      outcomes: [
        { name: 'helpful', kind: 'conversion' },
        { name: 'spend', kind: 'mean', cap: 50 },
      ],
      experiment: {
        id: 'e-1',
        primary: ['spend', 'returned'],
        secondary: ['cost', 'error'],
        segments: [
          { name: 'plan', header: 'x-plan' },
          { name: 'constructor', header: 'x-maker' },
        ],
      },
    },
  ],
};

const row = (changes: Partial<UnitRow>): UnitRow => ({
  ...{ unit: '00112233445566aa', variant: 'blue', firstAt: '2026-11-24T10:00:00.000Z', requests: 2, errors: 0 },
  ...{ segment: {}, measured: {}, outcomes: {} },
  ...changes,
});

/** The API over a ledger with these rows, and a controller. */
function kept(rows: UnitRow[], controller: object = {}) {
  const parsed = parseConfig(JSON.stringify(document), { unknownKeys: 'fault' });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  const ledger = { units: async () => rows, forget: async (unit: string) => unit === 'u-1' };
  const namespace = (stub: object) => ({ idFromName: (name: string) => name, get: () => stub });
  const env = { LEDGER: namespace(ledger), CONTROLLER: namespace(controller) } as unknown as Partial<Env>;
  return mounted({ env, deps: { loadConfig: async () => parsed.value.config } });
}

async function linesOf(...rows: UnitRow[]): Promise<string[]> {
  const answer = await kept(rows)('GET', `${units}?format=csv`);
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  return (await answer.text()).split('\r\n');
}

describe('the CSV of an experiment’s units', () => {
  it('has segments, what is measured of the metrics, and outcomes, in the order of the config', async () => {
    const measured = { retry: 0, returned: 1, error: 0, cost: 0.25, latency: 12 };
    const lines = await linesOf(row({ segment: { plan: 'pro' }, measured, outcomes: { spend: -7.5, helpful: 1 } }));
    expect(lines).toEqual([
      'unit,variant,firstAt,requests,errors,plan,constructor,error,cost,returned,helpful,spend',
      '"00112233445566aa","blue","2026-11-24T10:00:00.000Z",2,0,"pro",,0,0.25,1,1,-7.5',
      '',
    ]);
  });

  it('leaves empty what is not known of a unit', async () => {
    const [, line] = await linesOf(row({ measured: { returned: 0 } }));
    expect(line).toMatch(/,2,0,,,,,0,,$/);
  });

  it.each([
    ['a, b', '"a, b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['a\\b', '"a\\b"'],
    ['=1+1', '"\'=1+1"'],
    ['+1', '"\'+1"'],
    ['-1', '"\'-1"'],
    ['@SUM(A1)', '"\'@SUM(A1)"'],
    ['\t=HYPERLINK("x")', '"\'\t=HYPERLINK(""x"")"'],
    ['a=b', '"a=b"'],
  ])('holds the segment %j as a text that is no formula', async (plan, cell) => {
    const text = (await linesOf(row({ segment: { plan } }))).slice(1).join('\r\n');
    expect(text).toBe(`"00112233445566aa","blue","2026-11-24T10:00:00.000Z",2,0,${cell},,,,,,\r\n`);
  });
});

it.each(['report', 'units', 'forget'])('a ledger that is down is no bug of Headgate: %s', async (name) => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => {});
  const down = { [name]: () => Promise.reject(new Error('overloaded')) };
  const LEDGER = { idFromName: (id: string) => id, get: () => down } as unknown as Env['LEDGER'];
  const [method, path] = { report: ['GET', '/api/routes/detect/experiment'], units: ['GET', units] }[name] ?? [
    'DELETE',
    `${units}/u-1`,
  ];
  const answer = await kept([])(method!, path!, undefined, { env: { LEDGER } });
  expect(await problemOf(answer)).toMatchObject({ status: 503, code: 'ledger_down', mend: expect.any(String) });
  expect(error).toHaveBeenCalledTimes(1);
  error.mockRestore();
});

describe('the deletion of a unit', () => {
  it('is written into the history of its route, without the unit', async () => {
    const note = vi.fn(async () => {});
    const headers = { 'x-headgate-actor': 'ada' };
    const answer = await kept([], { note })('DELETE', `${units}/u-1?reason=asked%20to`, undefined, { headers });
    expect(answer.status).toBe(204);
    const entry = { actor: 'ada', action: 'unit-deleted', reason: 'asked to', before: null, after: null };
    expect(note.mock.calls).toEqual([['detect', entry]]);
  });

  it('reaches an earlier experiment of the route by its id', async () => {
    const asked: string[] = [];
    const of = (name: string) => ({ forget: async () => asked.push(name) > 0 });
    const LEDGER = { idFromName: (name: string) => name, get: of } as unknown as Env['LEDGER'];
    const call = kept([], { note: async () => {} });
    const answer = await call('DELETE', `${units}/u-1?experiment=e-0`, undefined, { env: { LEDGER } });
    expect(answer.status).toBe(204);
    expect(new Set(asked)).toEqual(new Set([asked[0]]));
    expect(asked[0]).toContain('e-0');
    expect((await call('DELETE', `${units}/u-1?experiment=E%2F0`)).status).toBe(422);
  });

  it('is done also where that fails, and noted only where there was something to delete', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {});
    const note = vi.fn(async () => Promise.reject(new Error('down')));
    expect((await kept([], { note })('DELETE', `${units}/u-1`)).status).toBe(204);
    expect(note).toHaveBeenCalledTimes(1);
    expect(error).toHaveBeenCalledTimes(1);
    expect(await problemOf(await kept([], { note })('DELETE', `${units}/u-2`))).toMatchObject({ code: 'unknown_unit' });
    expect((await kept([], { note })('DELETE', `${units}/u-1?reason=${'x'.repeat(501)}`)).status).toBe(422);
    expect(note).toHaveBeenCalledTimes(1);
    error.mockRestore();
  });
});
