/** Owns the list of verbs. Each is loaded only when it is called, so that one verb's packages do not slow another. */

import type { Verb } from '../verb.ts';

interface Listed {
  summary: string;
  load(): Promise<Verb>;
}

/** In the order in which people meet them. A name of two words is a verb of a group. */
export const verbs: Record<string, Listed> = {
  status: {
    summary: 'show routes, or one route with its rollout; live with --watch',
    load: async () => (await import('./status.ts')).status,
  },
  init: {
    summary: 'write a first config for an endpoint that exists',
    load: async () => (await import('./init.ts')).init,
  },
  validate: {
    summary: 'check a config file',
    load: async () => (await import('./validate.ts')).validate,
  },
  apply: {
    summary: 'put a config file in force',
    load: async () => (await import('./apply.ts')).apply,
  },
  'config revisions': {
    summary: 'list the kept revisions of the config',
    load: async () => (await import('./config/revisions.ts')).revisions,
  },
  'config restore': {
    summary: 'put an earlier revision of the config in force again',
    load: async () => (await import('./config/restore.ts')).restore,
  },
  weights: {
    summary: 'set a route’s weights',
    load: async () => (await import('./weights.ts')).weights,
  },
  switch: {
    summary: 'send all traffic to one variant at once',
    load: async () => (await import('./switch.ts')).switchTo,
  },
  'rollout start': {
    summary: 'begin to move traffic to a variant, step by step',
    load: async () => (await import('./rollout/start.ts')).start,
  },
  'rollout promote': {
    summary: 'go on now: the next step, or the end',
    load: async () => (await import('./rollout/command.ts')).promote,
  },
  'rollout pause': {
    summary: 'hold a rollout where it is',
    load: async () => (await import('./rollout/command.ts')).pause,
  },
  'rollout resume': {
    summary: 'go on after a pause',
    load: async () => (await import('./rollout/command.ts')).resume,
  },
  'rollout abort': {
    summary: 'end a rollout, traffic back to the baseline',
    load: async () => (await import('./rollout/command.ts')).abort,
  },
  rollback: {
    summary: 'return to an earlier split',
    load: async () => (await import('./rollback.ts')).rollback,
  },
  history: {
    summary: 'show who did what and why',
    load: async () => (await import('./history.ts')).history,
  },
  explain: {
    summary: 'show which variant a unit gets, and why',
    load: async () => (await import('./explain.ts')).explain,
  },
  'manual clear': {
    summary: 'end the weights that were set by hand in KV',
    load: async () => (await import('./manual-clear.ts')).manualClear,
  },
  preview: {
    summary: 'get a token to see one variant before it has traffic',
    load: async () => (await import('./preview.ts')).preview,
  },
  check: {
    summary: 'hold a variant to expected answers before it has traffic',
    load: async () => (await import('./check.ts')).check,
  },
  comparisons: {
    summary: 'show what shadows found: how the candidate’s answers differ from the baseline’s',
    load: async () => (await import('./comparisons.ts')).comparisons,
  },
  'sample-size': {
    summary: 'say how many units an experiment needs, and how long that takes',
    load: async () => (await import('./sample-size.ts')).size,
  },
  report: {
    summary: 'show what an experiment has found',
    load: async () => (await import('./report.ts')).report,
  },
  'experiment decide': {
    summary: 'end an experiment: start the rollout to its winner',
    load: async () => (await import('./experiment/decide.ts')).decide,
  },
  records: {
    summary: 'show the newest records',
    load: async () => (await import('./records.ts')).records,
  },
  doctor: {
    summary: 'look for what is wrong with a Worker, and how to mend it',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  completion: {
    summary: 'print the completion of bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completion,
  },
};

/** What a command line may begin with: verbs of one word, and groups. */
export function firstWords(): string[] {
  return [...new Set(Object.keys(verbs).map((name) => name.split(' ')[0]!))];
}

/** Verbs of a group (`rollout`): their second words. Empty when there is no such group. */
export function groupOf(word: string): string[] {
  return Object.keys(verbs)
    .filter((name) => name.startsWith(`${word} `))
    .map((name) => name.slice(word.length + 1));
}
