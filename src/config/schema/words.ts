/**
 * Owns the small words that every part of the config schema is spelled with: names, percentages, durations, lists.
 * It holds no meaning of any one key and looks at no second key: what needs two keys is in ../check/.
 *
 * A message is `reason\nmend`. A reason that starts with a small letter goes on from the value ("150 is not …"), one that
 * starts with a capital stands alone, for values that should not be repeated.
 */

import * as v from 'valibot';
import type { FaultWords } from '../../result.ts';

/** Joins what is wrong and how to mend it into the one message that valibot carries. */
export function say(reason: string, mend: string): string {
  return `${reason}\n${mend}`;
}

type Run = (this: unknown, dataset: { value: unknown; typed?: boolean }, config: unknown) => unknown;

/** valibot takes a list for an object; a config with `"weights": []` must not pass as one with no weights. */
function refuseLists<T>(schema: T): T {
  const run = (schema as { '~run': Run })['~run'];
  const refusing: Run = function (dataset, config) {
    return run.call(this, Array.isArray(dataset.value) ? { value: null } : dataset, config);
  };
  return { ...schema, '~run': refusing };
}

/**
 * Makes what is said of a list or object as a whole be looked at also where something in it has a fault: valibot would be silent until
 * that is mended.
 */
export function always<T extends { pipe: readonly unknown[] }>(schema: T): T {
  for (const action of schema.pipe.slice(1) as { '~run': Run }[]) {
    const run = action['~run'];
    action['~run'] = function (dataset, config) {
      const { typed } = dataset;
      dataset.typed = typeof dataset.value === 'object' && dataset.value !== null;
      run.call(this, dataset, config);
      return Object.assign(dataset, { typed });
    };
  }
  return schema;
}

/** An object with known keys. Keys it does not know are dropped here and reported by ../unknown-keys.ts. */
export function object<const T extends v.ObjectEntries>(entries: T) {
  return refuseLists(v.object(entries));
}

/** An object whose keys people choose. */
export function record<
  K extends v.BaseSchema<string, string | number | symbol, v.BaseIssue<unknown>>,
  V extends v.GenericSchema,
>(key: K, value: V) {
  return refuseLists(v.record(key, value));
}

/** Passes what `faultOf` finds no fault with. */
export function faultless(faultOf: (value: string) => FaultWords | null) {
  return v.check<string, (issue: { input: string }) => string>(
    (value) => faultOf(value) === null,
    ({ input }) => {
      const fault = faultOf(input);
      return say(fault?.reason ?? '', fault?.mend ?? '');
    },
  );
}

/** A text of at most so many characters. */
export function short(most: number) {
  return v.pipe(v.string(), v.maxLength(most, say(`is longer than ${most} characters`, 'shorten it')));
}

/** A text of a form. */
export function matching(form: RegExp, reason: string, mend: string) {
  return v.pipe(v.string(), v.regex(form, say(reason, mend)));
}

/** A list of no more than so many items. */
export function few<const T extends v.GenericSchema>(item: T, most: number, what: string, mend: string) {
  return always(v.pipe(v.array(item), v.maxLength(most, say(`has more than ${most} ${what}`, mend))));
}

/** A list with something in it. */
export function some<const T extends v.GenericSchema>(item: T, mend: string, reason = 'is empty') {
  return v.pipe(v.array(item), v.minLength(1, say(reason, mend)));
}

/** Passes when exactly one of the keys is given. */
export function exactlyOne<T extends object>(...keys: (keyof T & string)[]) {
  return v.check<T, string>(
    (value) => keys.filter((key) => value[key] !== undefined).length === 1,
    say(`An entry names exactly one of ${keys.join(', ')}`, 'keep one of them'),
  );
}

/** Name of a route, variant or plan. */
export const name = matching(
  /^[a-z0-9][a-z0-9-]{0,31}$/,
  'is not a name that Headgate takes',
  'use 1 to 32 of a-z, 0-9 and -, and no - first',
);

/** Name of an outcome, measure or segment: these become labels, so capitals and underscores are welcome. */
export const label = matching(
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/,
  'is not a name that Headgate takes',
  'use 1 to 32 letters, digits, - and _',
);

/** Id of an experiment. */
export const experimentId = matching(/^[A-Za-z0-9_-]{1,64}$/, 'is not an id', 'use 1 to 64 letters, digits, - and _');

/** RFC 9110 §5.6.2: header names, methods and (RFC 6265 §4.1.1) cookie names are tokens. */
export const token = matching(/^[\w!#$%&'*+.^`|~-]{1,128}$/, 'is not a token', 'use letters, digits and dashes');

export const text = v.pipe(short(512), v.minLength(1, say('is empty', 'fill it in or leave the key out')));

/** A whole number between two bounds, both included. */
export function whole(min: number, max: number) {
  const range = `a whole number from ${min} to ${max}`;
  const message = say(`is not ${range}`, `give ${range}`);
  // One regex-like check would lose `minimum` and `maximum` from the JSON Schema, so there are three actions and at most
  // one of them speaks for any value that is likely.
  return v.pipe(v.number(), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
}

/** A number between two bounds, both included. */
export function number(min: number, max: number) {
  const message = say(`is not between ${min} and ${max}`, `give a number from ${min} to ${max}`);
  return v.pipe(v.number(), v.minValue(min, message), v.maxValue(max, message));
}

/** A percentage for sampling. */
export const percent = number(0, 100);

/** A share of traffic: weights are reckoned in whole hundredths of a percent, so a third decimal cannot be kept. */
export const weight = v.pipe(
  percent,
  v.check(
    (value) => Math.round(value * 100) / 100 === value,
    say('has more than two decimals', 'round it, such as 33.33'),
  ),
);

/** `"500ms"`, `"90s"`, `"10m"`, `"24h"`. */
export const duration = matching(
  /^\d{1,9}(ms|s|m|h)$/,
  'is not a duration',
  'write it as "500ms", "90s", "10m" or "24h"',
);

/** An HTTP status. */
export function status(min: number) {
  return whole(min, 599);
}

/** A path of a JSON document: RFC 6901, in which `*` is one segment and `**` any number. */
export const pointer = v.pipe(
  short(256),
  v.regex(/^(\/([^~/]|~[01])*)+$/, say('is not a JSON Pointer', 'write it as /items/*/at, with ~ as ~0 and / as ~1')),
);
