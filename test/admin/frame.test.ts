import { describe, expect, it, vi } from 'vitest';
import { mounted, problemOf } from './calls.ts';

describe('the admin frame', () => {
  it('tells anybody that it runs, and nothing else', async () => {
    const response = await mounted()('GET', '/health', undefined, { token: null });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: 'ok' });
    expect((await mounted()('HEAD', '/health', undefined, { token: null })).status).toBe(200);
  });

  it.each([
    ...['', '/', '/nothing', '/api/nothing', '/health/x', '/api/routes//split'].map((path) => ['GET', path] as const),
    ['POST', '/api/routes/detect/rollout/foo'],
  ] as const)('answers 404 to %s %j', async (method, path) => {
    const response = await mounted()(method, path);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await problemOf(response)).toMatchObject({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'not_found',
    });
  });

  it.each([
    ['POST', '/health', 'GET, HEAD'],
    ['DELETE', '/api/records', 'GET, HEAD'],
    ['DELETE', '/api/records/', 'GET, HEAD'],
    ['GET', '/api/config/validate', 'POST'],
    ['PUT', '/api/routes/detect/preview', 'POST'],
    ['GET', '/api/routes/detect/rollout/pause', 'POST'],
  ])('answers 405 to %s %s and says what is allowed', async (method, path, allow) => {
    const response = await mounted()(method, path);
    expect(await problemOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' });
    expect(response.headers.get('allow')).toBe(allow);
  });

  it.each([
    ['/api/openapi.json', 404],
    ['/', 404],
    ['/health', 200],
    ['/preview?token=x', 403],
  ])('answers %s on another host than ADMIN_HOST with %d', async (path, status) => {
    const call = mounted({ env: { ADMIN_HOST: 'Controls.example.com' }, host: 'shop.example.com' });
    expect((await call('GET', path)).status).toBe(status);
  });

  it.each(['controls.example.com', 'controls.example.com:8443'])(
    'answers on ADMIN_HOST itself, as %s',
    async (host) => {
      const call = mounted({ env: { ADMIN_HOST: 'Controls.example.com' }, host });
      expect((await call('GET', '/api/openapi.json')).status).toBe(200);
    },
  );

  it('says that it failed, without saying how, when something throws', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const broken = { loadConfig: () => Promise.reject(new Error('KV says: key is hunter2')) };
    const response = await mounted({ deps: broken })('POST', '/api/routes/detect/preview', { variant: 'blue' });
    expect(response.status).toBe(500);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ status: 500, code: 'internal' });
    expect(text).not.toContain('hunter2');
    expect(log).toHaveBeenCalledOnce();
    log.mockRestore();
  });
});
