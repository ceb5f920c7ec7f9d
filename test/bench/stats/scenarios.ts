/** Owns the traffic that rollouts are tried on: good candidates in hard weather, and bad ones. */

import type { Plan, Traffic } from './rollouts.ts';

/** The built-in canary with its steps of 10 minutes. */
export const CANARY: Plan = { shares: [0.05, 0.25, 0.5, 1], forSeconds: 600, per: 'unit' };

/** Five minutes in every two hours in which 30 % of all requests fail, on both arms; the first begins after 5 minutes. */
const inOutage = (second: number) => second % 7200 >= 300 && second % 7200 < 600;

/** The same traffic with outages that both arms share. */
export function sharedOutages(traffic: Traffic): Traffic {
  return { ...traffic, rate: (arm, second) => (inOutage(second) ? 0.3 : traffic.rate(arm, second)) };
}

/** Candidates that are exactly as good as the baseline, at a 1 % base rate. */
export function good(requestsPerSecond: number): Record<string, Traffic> {
  const fresh: Traffic = { requestsPerSecond, clients: { kind: 'fresh' }, rate: () => 0.01 };
  const users = requestsPerSecond * 1000;
  return {
    'new visitors': fresh,
    'clients alike': { ...fresh, clients: { kind: 'flat', n: users } },
    'heavy users': { ...fresh, clients: { kind: 'zipf', n: users } },
    'shared outages': sharedOutages(fresh),
    'clustered errors': { ...fresh, clients: { kind: 'zipf', n: users }, burst: 20 },
    'one client always fails': { ...fresh, clients: { kind: 'flat', n: users / 10 }, alwaysFailing: 1 },
    '20 clients always fail': { ...fresh, clients: { kind: 'flat', n: users / 10 }, alwaysFailing: 20 },
  };
}

/** 100 requests a second with 1 % errors on the baseline and `bad` on the candidate (on both, for a switch of all). */
export function regression(
  clients: Traffic['clients'],
  bad: number,
  { fromSecond = 0, bothArms = false }: { fromSecond?: number; bothArms?: boolean } = {},
): Traffic {
  return {
    requestsPerSecond: 100,
    clients,
    rate: (arm, second) => ((bothArms || arm === 'candidate') && second >= fromSecond ? bad : 0.01),
  };
}
