/** Owns the names of the plans that need no declaration (design section 9). Their steps belong to src/rollout/. */

export const builtInPlans: readonly string[] = ['canary', 'blue-green', 'shadow', 'shadow-canary'];
