/** Owns what the API's description says of an outcome. The Worker reads outcomes by their own rules (`src/experiment/outcomes.ts`). */

import * as v from 'valibot';
import { name } from '../config/schema/words.ts';

const outcome = v.object({
  route: name,
  metric: v.string(),
  value: v.optional(v.union([v.boolean(), v.number()])),
  receipt: v.optional(v.string()),
  unit: v.optional(v.string()),
});

export const outcomesBody = v.union([outcome, v.pipe(v.array(outcome), v.maxLength(100))]);
