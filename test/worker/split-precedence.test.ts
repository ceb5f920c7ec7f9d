import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { ask, routeIn, until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let origin: Origin;
let headgate: Headgate;

// A known split does not go away with its key, so each test has a route of its own.
const ROUTES = Array.from({ length: 20 }, (_, index) => `route-${index}`);
let used = -1;
let name = '';
beforeEach(() => {
  name = ROUTES[++used]!;
  headgate.logs.length = 0;
});

/** Each source of weights sends everyone to a variant of its own, so the variant tells which one is in force. */
function configWith(changed?: { route: string; green: Record<string, unknown> }): unknown {
  const at = (variant: string) => ({ url: `${origin.url}/${variant}` });
  const routes = ROUTES.map((route) => {
    const more = changed?.route === route ? changed.green : {};
    const variants = { base: at('base'), config: at('config'), split: { ...at('split'), ...more }, hand: at('hand') };
    return { name: route, match: { path: `/${route}` }, variants, baseline: 'base', weights: { config: 100 } };
  });
  return { version: 1, routes };
}

let revision = 0;
function split(changes: Record<string, unknown> = {}) {
  const variants = variantsHash(routeIn(configWith(), name));
  return { revision: ++revision, weights: { split: 100 }, baseline: 'base', salt: 's', variants, ...changes };
}

beforeAll(async () => {
  origin = await startOrigin();
  const vars = { CONFIG_REFRESH_SECONDS: '0.1' };
  headgate = await startHeadgate({ config: configWith(), recorder: false, vars });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

const putSplit = (document: unknown) => headgate.put(`split:${name}`, document);
const putWeights = (document: unknown) => headgate.put(`weights:${name}`, document);
const variant = async () => (await ask(headgate.url, `/${name}`)).variant;
const becomes = (wanted: string) => until(variant, (seen) => seen === wanted);
/** Requests drive the refresh. */
const untilLogged = (pattern: RegExp) =>
  until(
    async () => [await variant(), headgate.logs.join('\n')],
    ([, log]) => pattern.test(log!),
  );

describe('in force', () => {
  it('are weights by hand, else the split, else the weights of the config', async () => {
    await becomes('config');
    await putSplit(split());
    await becomes('split');
    await putWeights({ hand: 100 });
    await becomes('hand');
    await putWeights({});
    await becomes('split');
  });

  it('are followed as soon as KV shows them, change by change, and end with their key', async () => {
    for (const weights of [{ hand: 100 }, { base: 100 }, { split: 100 }]) {
      await putWeights(weights);
      await becomes(Object.keys(weights)[0]!);
    }
    await (await headgate.mf.getKVNamespace('CONFIG', 'headgate')).delete(`weights:${name}`);
    await becomes('config');
  });

  it.each([
    ['a sum of 99', '{"split":99}', /sum to 99/],
    ['an unknown variant', '{"splitt":100}', /"splitt" is not a variant.*did you mean "split"/],
    ['three decimals', '{"split":99.999,"base":0.001}', /two decimals/],
    ['a number in quotes', '{"split":"100"}', /not a number/],
    ['what is no JSON', '{split:100}', /not JSON/],
    ['what is no object', '[100]', /not an object/],
    ['a prototype', '{"__proto__":100}', /reserved/],
    ['nothing at all', '', /not JSON/],
  ])('stay the last valid weights by hand when someone writes %s', async (_, text, reason) => {
    await putWeights({ hand: 100 });
    await becomes('hand');
    await putWeights(text);
    await untilLogged(new RegExp(`weights:${name} is refused .*${reason.source}`));
    expect(await variant()).toBe('hand');
  });

  it('are the weights of the config when the first weights by hand ever seen cannot be read', async () => {
    await putWeights('{"split":1}');
    await untilLogged(/is refused/);
    expect(await variant()).toBe('config');
  });

  it('is the baseline, not a split made for other variants, until a split for these comes', async () => {
    await putSplit(split());
    await becomes('split');
    const changed = configWith({ route: name, green: { headers: { 'x-model': 'two' } } });
    await headgate.put('config', changed);
    await becomes('base');
    await putSplit(split({ variants: variantsHash(routeIn(changed, name)) }));
    await becomes('split');
    expect(origin.seen.at(-1)?.headers['x-model']).toBe('two');
    await headgate.put('config', configWith());
  });

  it('are weights by hand also above a split that cannot be served', async () => {
    await putSplit(split({ variants: 'of another time' }));
    await becomes('base');
    await putWeights({ hand: 100 });
    await becomes('hand');
  });

  it('is the last valid split while the newest is broken, for other variants, older or gone', async () => {
    await putSplit(split());
    await becomes('split');
    await putSplit('{"revision":');
    await untilLogged(/is refused .*the last valid one stays/);
    await putSplit(split({ weights: { split: 50 } }));
    await untilLogged(/sum to 50/);
    expect(await variant()).toBe('split');

    const other = { weights: { hand: 100 } };
    const kv = await headgate.mf.getKVNamespace('CONFIG', 'headgate');
    const steps = [
      () => putSplit(split({ ...other, variants: 'of another time' })),
      () => putSplit(split({ ...other, revision: 0 })),
      () => kv.delete(`split:${name}`),
    ];
    for (const step of steps) {
      await step();
      // Both keys are read in one operation: weights that are followed show that the split was read too.
      await putWeights({ base: 100 });
      await becomes('base');
      await putWeights({});
      await becomes('split');
    }
  });

  it('is the baseline when the first split ever seen cannot be read', async () => {
    await putSplit('garbage');
    await becomes('base');
  });

  it('is served of a config with keys that nobody knows, and the isolate says so', async () => {
    await headgate.put('config', { ...(configWith() as object), routez: [] });
    await untilLogged(/config: routez: .*\(1 warnings\)/);
    await becomes('config');
  });

  it('is the last valid config when the newest is refused', async () => {
    await becomes('config');
    await headgate.put('config', { version: 1, routes: [{ name, variants: {} }] });
    await untilLogged(/config is refused whole, the last good goes on serving: routes\[0\]/);
    expect(await variant()).toBe('config');
  });
});
