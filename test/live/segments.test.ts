import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Segment } from '../../src/config/types.ts';
import type { Served } from '../../src/forward/served.ts';
import { segmentsOf } from '../../src/live/segments.ts';

function asked(body: string | null, headers: Record<string, string> = {}, isEncoded = false) {
  const bytes = body === null ? null : new TextEncoder().encode(body);
  const length = { 'content-length': String(bytes?.byteLength ?? 0) };
  return { sent: new Headers({ ...headers, ...length }), upload: { bytes, isEncoded } as Served['upload'] };
}

const plan: Segment = { name: 'plan', from: { header: 'x-plan' } };
const at = (pointer: string, values?: string[]): Segment => ({ name: 's', from: { pointer }, values });

describe('the segments of a request', () => {
  it('are read from headers', () => {
    expect(segmentsOf([plan], asked(null, { 'x-plan': 'pro' }))).toEqual({ plan: 'pro' });
    expect(segmentsOf([plan], asked(null))).toBeUndefined();
    expect(segmentsOf([plan], asked(null, { 'x-plan': 'p'.repeat(200) }))).toEqual({ plan: 'p'.repeat(64) });
  });

  it('are whole texts, also where half a pair of surrogates was sent or cut', () => {
    const cut = segmentsOf([plan], asked(null, { 'x-plan': 'é' }));
    expect(cut).toEqual({ plan: 'é' });
    const values = ['"\\ud83d"', `"${'p'.repeat(63)}😀"`].map((text) => segmentsOf([at('/m')], asked(`{"m":${text}}`)));
    expect(values).toEqual([{ s: '\ufffd' }, { s: `${'p'.repeat(63)}\ufffd` }]);
  });

  it('are those that were declared, and other', () => {
    const declared = { ...plan, values: ['pro'] };
    const values = ['pro', 'team'].map((value) => segmentsOf([declared], asked(null, { 'x-plan': value })));
    expect(values).toEqual([{ plan: 'pro' }, { plan: 'other' }]);
  });

  it('are told apart by the whole of a declared value, as far as the config lets it be long', () => {
    const values = ['a', 'b'].map((end) => `${'p'.repeat(100)}${end}`);
    const found = values.map((value) => segmentsOf([{ ...plan, values }], asked(null, { 'x-plan': value })));
    expect(found).toEqual(values.map((value) => ({ plan: value })));
  });

  it('keep no more in memory than they are, however long what was sent is', () => {
    setFlagsFromString('--expose-gc');
    const usedBytes = () => {
      runInNewContext('gc')();
      return getHeapStatistics().used_heap_size;
    };
    const before = usedBytes();
    const kept = Array.from({ length: 1_000 }, (_, n) =>
      segmentsOf(
        [plan, at('/m')],
        asked(JSON.stringify({ m: `${n}`.padEnd(30_000, 'm') }), { 'x-plan': `${n}`.padEnd(12_000, 'p') }),
      ),
    );
    expect(usedBytes() - before).toBeLessThan(5_000_000);
    expect(kept[999]).toEqual({ plan: '999'.padEnd(64, 'p'), s: '999'.padEnd(64, 'm') });
  });

  it.each([
    ['/model', 'm-1'],
    ['/metadata/tier', '2'],
    ['/stream', 'true'],
    ['/messages/1/role', 'user'],
    ['/a~1b/~0c', 'deep'],
  ])('are read from the JSON body at %s', (pointer, value) => {
    const body = {
      model: 'm-1',
      metadata: { tier: 2 },
      stream: true,
      messages: [{}, { role: 'user' }],
      'a/b': { '~c': 'deep' },
    };
    expect(segmentsOf([at(pointer)], asked(JSON.stringify(body)))).toEqual({ s: value });
  });

  it.each([
    ['a body that was not kept', asked(null), '/model'],
    ['a compressed one', asked('{"model":"m"}', {}, true), '/model'],
    ['one that is no JSON', asked('model=m'), '/model'],
    ['what stands nowhere', asked('{"a":1}'), '/model'],
    ['what every object inherits', asked('{}'), '/constructor/name'],
    ['an object', asked('{"model":{}}'), '/model'],
    ['null', asked('{"model":null}'), '/model'],
  ])('are none with %s', (_, request, pointer) => {
    expect(segmentsOf([at(pointer)], request)).toBeUndefined();
  });
});
