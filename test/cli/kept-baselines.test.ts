import { describe, expect, it } from 'vitest';
import { rolloutWith, sessionWithApi, statusWith } from './api.ts';

const { session, api } = sessionWithApi();

const url = { blue: { url: 'https://b.example' }, green: { url: 'https://g.example' } };
/** As it was written before green was promoted, and something else was changed in it since. */
const old = { name: 'detect', variants: url, weights: { blue: 100 }, timeoutMs: 5000 };
const promoted = { name: 'detect', variants: url, baseline: 'green', weights: { blue: 0, green: 100 } };

/** Applies a document of one route to a Worker whose config has the promoted one. */
async function apply(route: unknown, ...options: string[]) {
  const current = JSON.stringify({ version: 1, routes: [promoted] });
  api.answer({
    'GET /api/config': () => new Response(current, { headers: { etag: '"cafe"' } }),
    'GET /api/routes': { routes: [statusWith({ rollout: rolloutWith({ phase: 'promoted' }) })] },
    'POST /api/config/validate': { valid: true, warnings: [] },
    'PUT /api/config': { revision: 8, hash: 'beef', warnings: [] },
  });
  session.write('file.json', { version: 1, routes: [route] });
  const status = await session.run('apply', 'file.json', ...options);
  const put = api.calls.find(({ method }) => method === 'PUT');
  return { status, route: (put?.body as { routes: unknown[] } | undefined)?.routes[0] };
}

describe('headgate apply of a file that is older than a promotion', () => {
  it('says that the file takes the baseline back, and how to keep it', async () => {
    expect(await apply(old)).toEqual({ status: 0, route: old });
    expect(session.notes).toMatch(/baseline in force is green; by this file it is blue[\s\S]*--keep-baseline/);
  });

  it('keeps baseline and weights of the promotion with --keep-baseline, and takes the rest', async () => {
    const kept = { ...old, baseline: 'green', weights: { blue: 0, green: 100 } };
    expect(await apply(old, '--keep-baseline')).toEqual({ status: 0, route: kept });
    expect(session.notes).toContain('detect keeps the baseline green; the file says blue.');
    expect(session.notes).not.toContain('by this file');
  });

  it('tells programs what was kept', async () => {
    await apply(old, '--keep-baseline', '--json');
    expect(JSON.parse(session.out)).toMatchObject({ kept: [{ route: 'detect', inForce: 'green', inFile: 'blue' }] });
  });

  it('leaves all to the kept baseline where its weights name a variant that is gone', async () => {
    const variants = { red: { url: 'https://r.example' }, green: url.green };
    const { route } = await apply({ ...old, variants, weights: { red: 100 } }, '--keep-baseline');
    expect(route).toEqual({ name: 'detect', variants, timeoutMs: 5000, baseline: 'green' });
  });

  it('mirrors nothing to the kept baseline', async () => {
    const shadows = [{ variant: 'green' }, { variant: 'red' }];
    const variants = { ...url, red: { url: 'https://r.example' } };
    const { route } = await apply({ ...old, variants, shadows }, '--keep-baseline');
    expect(route).toMatchObject({ shadows: [{ variant: 'red' }] });
  });

  it('refuses to keep a baseline that the file lacks', async () => {
    const { status, route } = await apply({ ...old, variants: { blue: url.blue } }, '--keep-baseline');
    expect([status, route]).toEqual([1, undefined]);
    expect(session.notes).toContain('lacks green, which is the baseline in force');
  });

  it('refuses another definition of the kept baseline, which would get all traffic at once', async () => {
    const release = { ...url, green: { url: 'https://g2.example' } };
    const { status, route } = await apply({ ...old, variants: release }, '--keep-baseline');
    expect([status, route]).toEqual([1, undefined]);
    expect(session.notes).toMatch(/variants\.green[\s\S]*all traffic at once[\s\S]*"baseline": "green"/);
    const meant = { ...old, variants: release, baseline: 'green', weights: { green: 100 } };
    expect(await apply(meant, '--keep-baseline')).toEqual({ status: 0, route: meant });
  });

  it('puts a file in force as it is written where nothing was promoted', async () => {
    expect(await apply(promoted, '--keep-baseline')).toEqual({ status: 0, route: promoted });
  });
});

describe('headgate apply of a file that lacks a route', () => {
  it('says which traffic ends with it', async () => {
    await apply({ ...old, name: 'detect2' });
    expect(session.notes).toMatch(/detect goes, and with it its split 12 \(blue=75 green=25\)[\s\S]*another name/);
  });

  it('says that its rollout stays behind', async () => {
    const current = JSON.stringify({ version: 1, routes: [promoted] });
    api.answer({
      'GET /api/config': () => new Response(current, { headers: { etag: '"cafe"' } }),
      'GET /api/routes': { routes: [statusWith({ rollout: rolloutWith() })] },
      'POST /api/config/validate': { valid: true, warnings: [] },
    });
    session.write('none.json', { version: 1, routes: [] });
    expect(await session.run('apply', 'none.json', '--dry-run')).toBe(0);
    expect(session.out).toMatch(/detect goes while its rollout r-20261123-1 is progressing[\s\S]*rollout abort detect/);
  });
});
