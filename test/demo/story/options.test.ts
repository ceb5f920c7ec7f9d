import { describe, expect, it } from 'vitest';
import { HELP, parseDemoOptions } from '../../../src/demo/story/options.ts';

describe('the options of npm run demo', () => {
  it('needs none', () => {
    expect(parseDemoOptions([])).toEqual({
      ok: true,
      value: { port: null, perSecond: 80, isAb: false, isFast: false, help: false },
    });
  });

  it('takes a port, a rate and hurry', () => {
    expect(parseDemoOptions(['--port', '9000', '--rate=50', '--fast'])).toEqual({
      ok: true,
      value: { port: 9000, perSecond: 50, isAb: false, isFast: true, help: false },
    });
  });

  it('has experiments in place of the story, with a rate of their own', () => {
    expect(parseDemoOptions(['--ab'])).toMatchObject({ ok: true, value: { isAb: true, perSecond: 120 } });
    expect(parseDemoOptions(['--ab', '--rate', '60'])).toMatchObject({ ok: true, value: { perSecond: 60 } });
  });

  it.each([
    [['--rate', '5'], '--rate takes a whole number from 30 to 300, not "5".'],
    [['--port', 'x'], '--port takes a whole number from 1 to 65535, not "x".'],
  ])('refuses %j with a sentence', (args, error) => {
    expect(parseDemoOptions(args)).toEqual({ ok: false, error });
  });

  it('names an option that it does not know', () => {
    expect(parseDemoOptions(['--slow'])).toEqual({ ok: false, error: expect.stringContaining('--slow') });
  });

  it('explains every option, within 110 columns', () => {
    for (const option of ['--ab', '--rate', '--port', '--fast', '--help']) expect(HELP).toContain(option);
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });
});
