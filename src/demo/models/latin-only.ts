/** Owns the detector of the demo's `broken`: franc, with a fault that no health check finds. It throws where Latin-1 ends. */

import type { Detector } from './detector.ts';
import { franc } from './franc.ts';

// Greek and Cyrillic, but also the Polish ł, the Czech ě, the Turkish ş.
const BEYOND = /[\p{Letter}--[A-\xff]]/v;

export const latinOnly: Detector = {
  model: 'franc-latin-1',
  detect(text) {
    if (BEYOND.test(text)) throw new RangeError('a letter outside Latin-1');
    return franc.detect(text);
  },
};
