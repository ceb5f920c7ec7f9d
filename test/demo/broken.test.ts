import { describe, expect, it } from 'vitest';
import broken from '../../src/demo/models/broken.ts';
import { latinOnly } from '../../src/demo/models/latin-only.ts';
import { SLO_MS } from '../../src/demo/story/plans.ts';
import { labelledTexts } from '../../src/demo/texts.ts';

function ask(text: string): Promise<Response> {
  return broken.fetch(new Request('http://broken/v1/detect', { method: 'POST', body: JSON.stringify({ text }) }));
}

describe('the broken release', () => {
  it('passes its health check, as most bad releases do', async () => {
    expect((await broken.fetch(new Request('http://broken/healthz'))).status).toBe(200);
  });

  it.each(['Все люди рождаются свободными', 'Όλοι οι άνθρωποι γεννιούνται', 'Wszyscy ludzie rodzą się wolni'])(
    'answers 500 to "%s"',
    async (text) => {
      expect((await ask(text)).status).toBe(500);
    },
  );

  it('answers other texts rightly, but slower than the guardrail allows', async () => {
    const startedMs = performance.now();
    const response = await ask('Alle Menschen sind frei und gleich an Würde und Rechten geboren.');
    expect(await response.json()).toMatchObject({ language: 'deu' });
    expect(performance.now() - startedMs).toBeGreaterThan(SLO_MS);
  });

  it('fails on some languages always, and on others never', () => {
    const failed = new Map<string, boolean[]>();
    for (const { text, language } of labelledTexts({ seed: 7, perLanguage: 40 })) {
      const fails = (() => {
        try {
          latinOnly.detect(text);
          return false;
        } catch {
          return true;
        }
      })();
      failed.set(language, [...(failed.get(language) ?? []), fails]);
    }
    for (const language of ['bul', 'ell', 'rus', 'ukr']) expect(failed.get(language)).not.toContain(false);
    for (const language of ['eng', 'ita', 'spa']) expect(failed.get(language)).not.toContain(true);
  });
});
