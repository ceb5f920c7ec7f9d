import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armsOf } from '../../src/split/assign.ts';
import { formatPin, honouredPin, MAX_PINS, nextPins, type Pin, type PinRules, parsePin } from '../../src/split/pins.ts';

const MINUTE_MS = 60_000;
const NOW_MS = Date.UTC(2026, 10, 23, 10);

function rules(changes: Partial<PinRules> = {}): PinRules {
  return {
    route: 'chat',
    epoch: 'r-1',
    arms: armsOf({ blue: 90, green: 10 }),
    baseline: 'blue',
    sticky: true,
    experiment: false,
    nowMs: NOW_MS,
    ...changes,
  };
}

const green: Pin = { route: 'chat', variant: 'green', epoch: 'r-1' };
const blue: Pin = { route: 'chat', variant: 'blue', epoch: 'r-1' };
const idle = { sticky: { idleMs: 30 * MINUTE_MS } };

describe('a pin on a sticky route', () => {
  it('keeps a visitor on green when its weight falls', () => {
    expect(honouredPin([green], rules({ arms: armsOf({ blue: 99, green: 1 }) }))).toBe('green');
  });

  it.each<[string, Pin, Partial<PinRules>]>([
    ['its variant has no weight', green, { arms: armsOf({ blue: 100, green: 0 }) }],
    ['its variant is unknown', { ...green, variant: 'mauve' }, {}],
    ['its epoch is over', green, { epoch: 'r-2' }],
    ['it belongs to another route', green, { route: 'search' }],
    ['it names the baseline', blue, {}],
    ['the route is not sticky', green, { sticky: false }],
  ])('does not count when %s', (_, pin, changes) => {
    expect(honouredPin([pin], rules(changes))).toBeUndefined();
  });

  it('is given for the candidate and never for the baseline', () => {
    expect(nextPins([], rules(), 'green')).toEqual([green]);
    expect(nextPins([], rules(), 'blue')).toEqual([]);
  });

  it('leaves the cookie alone when the visitor has it already', () => {
    const pins = [green];
    expect(nextPins(pins, rules(), 'green')).toBe(pins);
  });

  it('replaces the pin of an epoch that is over, and no other', () => {
    const other: Pin = { route: 'search', variant: 'green', epoch: 'r-0' };
    const pins = [{ ...green, epoch: 'r-0' }, other];
    expect(nextPins(pins, rules(), 'green')).toEqual([other, green]);
  });

  it('is not given while one variant has all the weight, nor for a variant without weight', () => {
    expect(nextPins([], rules({ arms: armsOf({ green: 100 }) }), 'green')).toEqual([]);
    expect(nextPins([], rules({ arms: armsOf({ blue: 100 }) }), 'green')).toEqual([]);
  });

  it('is not given in an epoch that could not be read back', () => {
    expect(nextPins([], rules({ epoch: 'v1.2;x' }), 'green')).toEqual([]);
  });
});

describe('a pin with an idle time', () => {
  it('is given for every variant, with the time of the visit', () => {
    expect(nextPins([], rules(idle), 'blue')).toEqual([{ ...blue, seenAtMs: NOW_MS }]);
    expect(nextPins([], rules(idle), 'green')).toEqual([{ ...green, seenAtMs: NOW_MS }]);
  });

  it.each([
    [0, 'blue'],
    [29.9, 'blue'],
    [34, undefined],
    [24 * 60, undefined],
  ])('seen %d minutes ago leads to %s', (minutes, variant) => {
    expect(honouredPin([{ ...blue, seenAtMs: NOW_MS - minutes * MINUTE_MS }], rules(idle))).toBe(variant);
  });

  it('never ends before the visitor was idle that long, however rarely the cookie is rewritten', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 30 * MINUTE_MS - 1 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, (gapsMs) => {
        let nowMs = NOW_MS;
        let pins = nextPins([], rules({ ...idle, nowMs }), 'blue');
        for (const gapMs of gapsMs) {
          nowMs += gapMs;
          expect(honouredPin(pins, rules({ ...idle, nowMs }))).toBe('blue');
          pins = nextPins(pins, rules({ ...idle, nowMs }), 'blue');
        }
      }),
    );
  });

  it('is rewritten only after a tenth of the idle time, so that the cookie is not set on every answer', () => {
    const pins = [{ ...blue, seenAtMs: NOW_MS - 2.9 * MINUTE_MS }];
    expect(nextPins(pins, rules(idle), 'blue')).toBe(pins);
    const older = [{ ...blue, seenAtMs: NOW_MS - 3 * MINUTE_MS }];
    expect(nextPins(older, rules(idle), 'blue')).toEqual([{ ...blue, seenAtMs: NOW_MS }]);
  });

  it('goes on being refreshed while one variant has all the weight', () => {
    const held = [{ ...green, seenAtMs: NOW_MS - 10 * MINUTE_MS }];
    const alone = rules({ ...idle, arms: armsOf({ green: 100 }) });
    expect(nextPins(held, alone, 'green')).toEqual([{ ...green, seenAtMs: NOW_MS }]);
    expect(nextPins([], alone, 'green')).toEqual([]);
  });

  it('without a time, of before the route asked for one, counts and gets one', () => {
    expect(honouredPin([blue], rules(idle))).toBe('blue');
    expect(nextPins([blue], rules(idle), 'blue')).toEqual([{ ...blue, seenAtMs: NOW_MS }]);
  });
});

describe('a pin in an experiment', () => {
  const experiment = { experiment: true, sticky: false as const, epoch: 'chat-m2' };

  it('is given in both arms and holds whatever the weights become', () => {
    const pins = nextPins([], rules(experiment), 'blue');
    expect(pins).toEqual([{ ...blue, epoch: 'chat-m2' }]);
    expect(honouredPin(pins, rules({ ...experiment, arms: armsOf({ blue: 1, green: 99 }) }))).toBe('blue');
    expect(nextPins([], rules(experiment), 'green')).toEqual([{ ...green, epoch: 'chat-m2' }]);
  });

  it('stays theirs while its arm has no weight, whatever they meet', () => {
    const pins = nextPins([], rules(experiment), 'green');
    const without = rules({ ...experiment, arms: armsOf({ blue: 50, red: 50 }) });
    expect(honouredPin(pins, without)).toBeUndefined();
    expect(nextPins(pins, without, 'blue')).toBe(pins);
    expect(honouredPin(pins, rules(experiment))).toBe('green');
  });

  it('is kept while a rollout that pins comes between, and no other is', () => {
    const dealt = nextPins([{ ...green, epoch: 'r-0' }], rules(experiment), 'blue');
    for (const resting of [rules({ resting: 'chat-m2' }), rules({ ...idle, resting: 'chat-m2' })]) {
      const pins = nextPins(dealt, resting, 'green');
      expect(pins.map(({ epoch, variant }) => [epoch, variant])).toEqual([
        ['chat-m2', 'blue'],
        ['r-1', 'green'],
      ]);
      expect(honouredPin(pins, resting)).toBe('green');
      expect(honouredPin(pins, rules(experiment))).toBe('blue');
      expect(nextPins(pins, rules({ ...resting, epoch: 'r-2' }), 'green').map(({ epoch }) => epoch)).toEqual([
        'chat-m2',
        'r-2',
      ]);
    }
  });

  it('is not ended by idle time', () => {
    const pins = nextPins([], rules({ ...experiment, ...idle }), 'blue');
    const later = rules({ ...experiment, ...idle, nowMs: NOW_MS + 30 * 24 * 60 * MINUTE_MS });
    expect(honouredPin(pins, later)).toBe('blue');
    expect(nextPins(pins, later, 'blue')).toBe(pins);
  });
});

describe('the pins of one cookie', () => {
  it(`are at most ${MAX_PINS}: the oldest is dropped`, () => {
    let pins: readonly Pin[] = [];
    for (let index = 0; index <= MAX_PINS; index++) pins = nextPins(pins, rules({ route: `r${index}` }), 'green');
    expect(pins).toHaveLength(MAX_PINS);
    expect(pins[0]!.route).toBe('r1');
    expect(pins.at(-1)!.route).toBe(`r${MAX_PINS}`);
  });

  it('are read back as they were written', () => {
    const name = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/);
    const epoch = fc.stringMatching(/^[A-Za-z0-9_-]{0,64}$/);
    const seenAtMs = fc.option(fc.integer({ min: 0, max: 4e12 }), { nil: undefined });
    fc.assert(
      fc.property(fc.record({ route: name, variant: name, epoch, seenAtMs }), (pin) => {
        expect(parsePin(formatPin(pin))).toEqual(pin);
      }),
    );
  });

  it.each([
    '',
    'chat',
    'chat:green',
    'chat:green:r-1:',
    ':green:r-1',
    'Chat:green:r-1',
    'chat:green:r 1',
    'chat:green:r-1:1:2',
  ])('do not include %j', (text) => {
    expect(parsePin(text)).toBeNull();
  });
});
