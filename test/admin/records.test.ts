import { expect, it, vi } from 'vitest';
import { toDataPoint } from '../../src/records/columns.ts';
import { mounted, problemOf } from './calls.ts';

const point = toDataPoint('requests', { route: 'detect', variant: 'green', reason: 'hash', status: 200 });
if (!point.ok) throw new Error('refused');
const stored = { id: 1, atMs: 0, index: 'detect/green', blobs: point.value.blobs, doubles: point.value.doubles };

function withRecorder(read = vi.fn(async (_query: unknown): Promise<unknown[]> => [stored])) {
  const env = { RECORDER: { idFromName: () => 'id', get: () => ({ read }) } };
  return { read, call: mounted({ env: env as never }) };
}

it('gives the newest records of the requests when nothing is asked for', async () => {
  const { call, read } = withRecorder();
  const response = await call('GET', '/api/records');
  expect(await response.json()).toMatchObject({
    dataset: 'requests',
    source: 'recorder',
    records: [{ route: 'detect', status: 200, at: '1970-01-01T00:00:00.000Z' }],
    next: null,
  });
  expect(read).toHaveBeenCalledWith({ dataset: 'requests', limit: 100 });
});

it('passes on what is asked for, and takes an empty parameter for an absent one', async () => {
  const { call, read } = withRecorder();
  await call('GET', '/api/records?dataset=comparisons&route=detect&variant=&limit=7&before=');
  expect(read).toHaveBeenCalledWith({ dataset: 'comparisons', route: 'detect', limit: 7 });
});

it.each(['dataset=secrets', 'route=../x', 'limit=0', 'limit=1001', 'limit=1.5', 'before=yesterday', "variant='"])(
  'refuses %s and names the parameter',
  async (query) => {
    const problem = await problemOf(await withRecorder().call('GET', `/api/records?${query}`));
    expect(problem).toMatchObject({ status: 422, code: 'invalid_request' });
    expect(problem.faults!.map((fault) => fault.path)).toEqual([query.split('=')[0]]);
  },
);

it('says what to set where there is nothing to read from', async () => {
  const problem = await problemOf(await mounted()('GET', '/api/records'));
  expect(problem).toMatchObject({ status: 503, code: 'records_unavailable' });
  expect(problem.mend).toContain('ANALYTICS_TOKEN');
});

it('says so when the store fails', async () => {
  const { call } = withRecorder(vi.fn(async () => Promise.reject(new Error('object lost'))));
  expect(await problemOf(await call('GET', '/api/records'))).toMatchObject({ status: 502, code: 'records_refused' });
});
