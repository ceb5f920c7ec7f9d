import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { variantsHash } from '../../src/config/hash.ts';
import { ask, routeIn, until } from './client.ts';
import { type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';

let origin: Origin;
let headgate: Headgate;

/** Each source of weights sends everyone to a variant of its own, so the variant tells which one is in force. */
function configWith(green: Record<string, unknown> = {}): unknown {
  const at = (name: string) => ({ url: `${origin.url}/${name}` });
  return {
    version: 1,
    routes: [
      {
        name: 'main',
        variants: { base: at('base'), config: at('config'), split: { ...at('split'), ...green }, hand: at('hand') },
        baseline: 'base',
        weights: { config: 100 },
      },
    ],
  };
}

let revision = 0;
function split(changes: Record<string, unknown> = {}) {
  const variants = variantsHash(routeIn(configWith(), 'main'));
  return { revision: ++revision, weights: { split: 100 }, baseline: 'base', salt: 's', variants, ...changes };
}

beforeAll(async () => {
  origin = await startOrigin();
  headgate = await startHeadgate({ config: configWith(), recorder: false, vars: { CONFIG_REFRESH_SECONDS: '0.1' } });
});

afterAll(async () => {
  await headgate.dispose();
  await origin.close();
});

const variant = async () => (await ask(headgate.url, '/')).variant;
const becomes = (wanted: string) => until(variant, (seen) => seen === wanted);
/** Requests drive the refresh. */
const untilLogged = (pattern: RegExp) =>
  until(
    async () => [await variant(), headgate.logs.join('\n')],
    ([, log]) => pattern.test(log!),
  );

/** Each test begins with the config's own weights in force. */
beforeEach(async () => {
  const kv = await headgate.mf.getKVNamespace('CONFIG', 'headgate');
  await kv.delete('split:main');
  await kv.delete('weights:main');
  await headgate.put('config', configWith());
  await becomes('config');
  headgate.logs.length = 0;
});

describe('in force', () => {
  it('are weights by hand, else the split, else the weights of the config', async () => {
    await headgate.put('split:main', split());
    await becomes('split');
    await headgate.put('weights:main', { hand: 100 });
    await becomes('hand');
    await headgate.put('weights:main', {});
    await becomes('split');
  });

  it('are followed as soon as KV shows them, change by change', async () => {
    for (const weights of [{ hand: 100 }, { base: 100 }, { split: 100 }]) {
      await headgate.put('weights:main', weights);
      await becomes(Object.keys(weights)[0]!);
    }
    await (await headgate.mf.getKVNamespace('CONFIG', 'headgate')).delete('weights:main');
    await becomes('config');
  });

  it.each([
    ['a sum of 99', '{"split":99}', /weights:main is refused .*sum to 99/],
    [
      'an unknown variant',
      '{"splitt":100}',
      /weights:main is refused .*"splitt" is not a variant.*did you mean "split"/,
    ],
    ['three decimals', '{"split":99.999,"base":0.001}', /weights:main is refused/],
    ['a number in quotes', '{"split":"100"}', /weights:main is refused/],
    ['what is no JSON', '{split:100}', /weights:main is refused .*not JSON/],
    ['what is no object', '[100]', /weights:main is refused/],
    ['a prototype', '{"__proto__":100}', /weights:main is refused/],
    ['nothing at all', '', /weights:main is refused/],
  ])('stay the last valid weights by hand when someone writes %s', async (_, text, reason) => {
    await headgate.put('weights:main', { hand: 100 });
    await becomes('hand');
    await headgate.put('weights:main', text);
    await untilLogged(reason);
    expect(await variant()).toBe('hand');
  });

  it('is the baseline, not a split made for other variants, until a split for these comes', async () => {
    await headgate.put('split:main', split());
    await becomes('split');
    const changed = configWith({ headers: { 'x-model': 'two' } });
    await headgate.put('config', changed);
    await becomes('base');
    await headgate.put('split:main', split({ variants: variantsHash(routeIn(changed, 'main')) }));
    await becomes('split');
    expect(origin.seen.at(-1)?.headers['x-model']).toBe('two');
  });

  it('are weights by hand also above a split that cannot be served', async () => {
    await headgate.put('split:main', split({ variants: 'of another time' }));
    await becomes('base');
    await headgate.put('weights:main', { hand: 100 });
    await becomes('hand');
  });

  it('is the last valid split while the newest is broken or for other variants', async () => {
    await headgate.put('split:main', split());
    await becomes('split');
    await headgate.put('split:main', '{"revision":');
    await untilLogged(/split:main is refused .*the last valid one stays/);
    expect(await variant()).toBe('split');
    await headgate.put('split:main', split({ weights: { split: 50 } }));
    await untilLogged(/split:main is refused .*sum to 50/);
    expect(await variant()).toBe('split');
    await headgate.put('split:main', split({ variants: 'of another time', weights: { hand: 100 } }));
    await headgate.put('weights:main', { base: 100 });
    await becomes('base'); // the split was read with it
    await headgate.put('weights:main', {});
    await becomes('split');
  });

  it('is the baseline when the first split ever seen cannot be read', async () => {
    await headgate.put('split:main', 'garbage');
    await becomes('base');
  });

  it('is the last valid config when the newest is refused', async () => {
    await headgate.put('config', { version: 1, routes: [{ name: 'main', variants: {} }] });
    await untilLogged(/config is refused whole, the last valid one goes on serving: routes\[0\]/);
    expect(await variant()).toBe('config');
  });
});
