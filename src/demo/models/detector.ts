/** Owns what a demo model is: a pure function from text to a language. HTTP is in `serve.ts`. */

export interface Detection {
  /** ISO 639-3 as `languages.ts` spells it, `und` when the model finds nothing. */
  language: string;
  /** 0 to 1, as the library gives it: comparable within a model, not between models. */
  confidence: number;
}

export interface Detector {
  /** Names the model in every answer. */
  model: string;
  detect(text: string): Detection;
}

/** Brings a library's score into 0..1; what is not a number is no confidence at all. */
export function confidence(score: number | undefined): number {
  return typeof score === 'number' && score > 0 ? Math.min(1, score) : 0;
}
