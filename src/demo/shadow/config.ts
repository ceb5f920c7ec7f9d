/** Owns the demo's config with a shadow: all visitors stay with the baseline, every request also goes to the candidate. */

/** Variants that can be the shadow; the first is the usual one. */
export const CANDIDATES = ['green', 'third'];

interface DemoConfig {
  routes: { variants: Record<string, unknown>; baseline: string; [key: string]: unknown }[];
}

/** The text to seed, made of the plain demo's. */
export function withShadow(text: string, variant: string): string {
  const config = JSON.parse(text) as DemoConfig;
  for (const route of config.routes) {
    route.weights = { [route.baseline]: 100 };
    route.shadows = [
      {
        variant,
        percent: 100,
        repeat: 10,
        samples: true,
        scorer: { service: 'SCORER', percent: 100 },
        // A model names itself, and no two mean the same by confidence: neither says which answer is better.
        compare: { ignore: ['/model', '/confidence'] },
      },
    ];
  }
  return `${JSON.stringify(config, null, 2)}\n`;
}
