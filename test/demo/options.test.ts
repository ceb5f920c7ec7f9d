import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../src/demo/options.ts';

describe('the options of npm start', () => {
  it('needs none', () => {
    expect(parseOptions([])).toEqual({
      ok: true,
      value: { port: null, traffic: null, shadow: null, stateDirectory: '.wrangler/state', help: false },
    });
  });

  it('sends 40 texts a second until Ctrl-C unless told otherwise', () => {
    expect(parseOptions(['--traffic'])).toMatchObject({ value: { traffic: { perSecond: 40, seconds: Infinity } } });
    const told = parseOptions(['--traffic', '--rate', '7', '--seconds=3', '--port', '9000', '--state', 'x']);
    expect(told).toMatchObject({
      value: { port: 9000, stateDirectory: 'x', traffic: { perSecond: 7, seconds: 3 } },
    });
  });

  it.each([
    [['--shadow'], 'green'],
    [['--shadow', '--rate', '7'], 'green'],
    [['--shadow', 'third'], 'third'],
    [['--shadow=third', '--seconds', '5'], 'third'],
  ])('sends traffic, and a copy of it, with %j', (args, shadow) => {
    expect(parseOptions(args)).toMatchObject({
      ok: true,
      value: { shadow, traffic: { perSecond: expect.any(Number) } },
    });
  });

  it.each([
    [['--shadow', 'blue'], '--shadow takes green or third, not "blue": blue serves the visitors.'],
    [['--port', '0'], '--port takes a whole number from 1 to 65535, not "0".'],
    [['--port', '80.5'], '--port takes a whole number from 1 to 65535, not "80.5".'],
    [['--traffic', '--rate', 'fast'], '--rate takes a whole number from 1 to 500, not "fast".'],
    [['--traffic', '--seconds', '0'], '--seconds takes a whole number from 1 to 86400, not "0".'],
    [['--rate', '5'], '--rate and --seconds say how --traffic is sent: give --traffic or --shadow as well.'],
  ])('refuses %j with a sentence', (args, error) => {
    expect(parseOptions(args)).toEqual({ ok: false, error });
  });

  it('names an option that it does not know', () => {
    expect(parseOptions(['--prot', '1'])).toEqual({ ok: false, error: expect.stringContaining('--prot') });
  });
});
