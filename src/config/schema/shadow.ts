/** Owns the words for shadows: how much is mirrored where, and how replies are compared. */

import * as v from 'valibot';
import { originUrl, serviceName } from './variant.ts';
import { always, exactlyOne, name, number, object, percent, pointer, say, text, whole } from './words.ts';

/** Presets that the comparison engine knows (src/shadow/compare/dialects/). */
const presetNames = ['openai-chat', 'openai-responses', 'anthropic-messages', 'workers-ai'] as const;

const pointers = v.array(pointer);

const compareSchema = object({
  preset: v.optional(v.picklist(presetNames)),
  ignore: v.optional(pointers, []),
  tolerance: v.optional(
    v.array(
      always(
        v.pipe(
          object({
            path: pointer,
            abs: v.optional(number(0, Number.MAX_VALUE)),
            rel: v.optional(number(0, 1)),
          }),
          v.check(
            (rule) => rule.abs !== undefined || rule.rel !== undefined,
            say('An entry allows no difference', 'give "abs", "rel" or both'),
          ),
        ),
      ),
    ),
    [],
  ),
  arrays: v.optional(
    v.array(
      always(
        v.pipe(
          object({
            path: pointer,
            mode: v.optional(v.picklist(['ordered', 'unordered'])),
            keyBy: v.optional(text),
          }),
          exactlyOne('mode', 'keyBy'),
        ),
      ),
    ),
    [],
  ),
  redact: v.optional(pointers, []),
});

export const shadowSchema = object({
  variant: name,
  percent: v.optional(percent, 100),
  repeat: v.optional(percent, 10),
  maxBodyBytes: v.optional(whole(0, 262_144), 262_144),
  forwardCredentials: v.optional(v.boolean(), false),
  samples: v.optional(v.boolean(), false),
  budget: v.optional(
    object({
      requestsPerMinute: v.optional(whole(1, 1e9)),
      tokensPerDay: v.optional(whole(1, 1e15)),
    }),
    {},
  ),
  scorer: v.optional(
    always(
      v.pipe(
        object({
          service: v.optional(serviceName),
          url: v.optional(originUrl({ query: true })),
          percent: v.optional(percent, 100),
        }),
        exactlyOne('service', 'url'),
      ),
    ),
  ),
  compare: v.optional(compareSchema, {}),
});
