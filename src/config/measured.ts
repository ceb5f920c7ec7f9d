/** Owns the metrics of experiments that responses give without any outcome being sent. How they are counted is the ledger's. */

/** By name: what is counted of a unit, and which way is better. `ofKnown`: only the units of which it is known count. */
export const measured = {
  error: { kind: 'conversion', goal: 'decrease', ofKnown: true },
  latency: { kind: 'mean', goal: 'decrease', ofKnown: true },
  firstByte: { kind: 'mean', goal: 'decrease', ofKnown: true },
  tokensOut: { kind: 'mean', goal: 'decrease', ofKnown: true },
  cost: { kind: 'mean', goal: 'decrease', ofKnown: true },
  retry: { kind: 'conversion', goal: 'decrease' },
  returned: { kind: 'conversion', goal: 'increase' },
} as const;

export type MeasuredName = keyof typeof measured;

export const measuredNames = Object.keys(measured) as MeasuredName[];
