import { expect, it } from 'vitest';
import { adminApp } from '../../src/admin/app.ts';
import { bothWays, operations, shortApi } from '../../src/admin/openapi.ts';
import { openApiOf } from '../../src/admin/openapi-document.ts';
import { mounted, plainDeps } from './calls.ts';

it('describes every call that the app answers, and no other', () => {
  const { routes } = adminApp(plainDeps);
  const answered = new Set(
    routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method.toLowerCase()} ${path}`),
  );
  expect(new Set(operations.map(({ method, path }) => `${method} ${path}`))).toEqual(answered);
});

it('is served with the checks that the calls make (npm run typegen writes it anew)', async () => {
  const served = (await (await mounted()('GET', '/api/openapi.json')).json()) as ReturnType<typeof openApiOf>;
  expect(served).toEqual(JSON.parse(JSON.stringify(openApiOf(shortApi()))));
  expect(served.openapi).toBe('3.1.0');
  const config = served.paths['/_headgate/api/config'] as Record<string, { requestBody?: object; responses: object }>;
  const schema = { content: { 'application/json': { schema: { $ref: '#/components/schemas/Config' } } } };
  expect(config.put!.requestBody).toMatchObject(schema);
  expect(config.get!.responses).toMatchObject({ 200: schema });
  const records = served.paths['/_headgate/api/records']!.get as { parameters: unknown[]; security: unknown };
  expect(records.parameters).toContainEqual(
    expect.objectContaining({
      name: 'dataset',
      schema: expect.objectContaining({ enum: ['requests', 'comparisons', 'outcomes'], default: 'requests' }),
    }),
  );
  expect(records.security).toEqual([{ token: [] }, { access: [] }]);
  // What is bound to a revision, what is not sent again, and what is no JSON.
  const switching = served.paths['/_headgate/api/routes/{route}/switch']!.post as { parameters: unknown[] };
  expect(switching.parameters).toContainEqual(expect.objectContaining({ name: 'if-match', in: 'header' }));
  expect(records.parameters).not.toContainEqual(expect.objectContaining({ in: 'header' }));
  expect(config.get!.responses).toHaveProperty('304');
  // What design section 4 names of a split, of which nothing may be missed in a client that is made from this.
  const { Split } = served.components.schemas as Record<string, { properties: object }>;
  const named = 'revision weights shadows baseline salt rollout variants by reason at'.split(' ');
  expect(Object.keys(Split!.properties)).toEqual(expect.arrayContaining(named));
  const units = served.paths['/_headgate/api/routes/{route}/experiment/units']!.get as { responses: object };
  expect(units.responses).toMatchObject({ 200: { content: { 'application/json': {}, 'text/csv': {} } } });
  const script = served.paths['/_headgate/outcomes.js']!.get as { responses: object };
  expect(script.responses).toMatchObject({ 200: { content: { 'text/javascript': {} } } });
  const preview = served.paths['/_headgate/api/routes/{route}/preview']!.post;
  expect(JSON.stringify(preview)).toContain('"required":["variant"]');
});

it('refers to nothing that it does not hold', () => {
  const text = JSON.stringify(openApiOf(shortApi()));
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name!);
  expect(Object.keys(openApiOf(shortApi()).components.schemas)).toEqual(
    expect.arrayContaining([...new Set(references)]),
  );
  expect(references.length).toBeGreaterThan(0);
});

it('loses nothing by being kept in short', () => {
  const schemas = bothWays();
  expect(schemas.length).toBeGreaterThan(35);
  for (const { full, again } of schemas) expect(again).toEqual(full);
});
