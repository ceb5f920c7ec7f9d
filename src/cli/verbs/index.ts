/** Owns the list of verbs. Each is loaded only when it is called, so that one verb's packages do not slow another. */

import type { Verb } from '../verb.ts';

export const verbs: Record<string, { summary: string; load(): Promise<Verb> }> = {
  validate: {
    summary: 'check a config file',
    load: async () => (await import('./validate.ts')).validate,
  },
  records: {
    summary: 'show the newest records',
    load: async () => (await import('./records.ts')).records,
  },
  comparisons: {
    summary: 'show what shadows found: how the candidate’s answers differ from the baseline’s',
    load: async () => (await import('./comparisons.ts')).comparisons,
  },
  preview: {
    summary: 'get a token to see one variant before it has traffic',
    load: async () => (await import('./preview.ts')).preview,
  },
  init: {
    summary: 'write a first config for an endpoint that exists',
    load: async () => (await import('./init.ts')).init,
  },
};
