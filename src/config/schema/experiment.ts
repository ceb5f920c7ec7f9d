/** Owns the words for outcomes, measures and experiments. */

import * as v from 'valibot';
import {
  always,
  duration,
  exactlyOne,
  experimentId,
  few,
  label,
  number,
  object,
  pointer,
  some,
  text,
  token,
  whole,
} from './words.ts';

export const outcomeSchema = object({
  name: label,
  kind: v.picklist(['conversion', 'mean']),
  goal: v.optional(v.picklist(['increase', 'decrease']), 'increase'),
  cap: v.optional(number(0, Number.MAX_VALUE)),
});

export const measureSchema = object({
  name: label,
  header: token,
  entry: v.optional(token),
});

const segmentSchema = always(
  v.pipe(
    object({
      name: label,
      header: v.optional(token),
      pointer: v.optional(pointer),
      values: v.optional(few(text, 10, 'values', 'keep 10')),
    }),
    exactlyOne('header', 'pointer'),
  ),
);

export const experimentSchema = object({
  id: experimentId,
  primary: some(label, 'name the outcome that decides'),
  secondary: v.optional(v.array(label), []),
  plannedUnits: v.optional(whole(1, 1e12)),
  grace: v.optional(duration),
  segments: v.optional(few(segmentSchema, 10, 'segments', 'keep those you will look at'), []),
});
