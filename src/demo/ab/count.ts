/** Owns the visitors' own count of the demo's experiments, against which the ledger's numbers are held. Pure. */

import type { TestName } from './config.ts';
import type { Visit } from './visit.ts';

interface ArmCount {
  visitors: number;
  right: number;
}

export class Count {
  readonly #arms: Record<TestName, Map<string, ArmCount>> = { ab: new Map(), aa: new Map() };
  visits = 0;
  unanswered = 0;
  posted = 0;

  add({ test, variant, right, posted }: Visit): void {
    this.visits++;
    if (posted) this.posted++;
    if (variant === null || right === null) {
      this.unanswered++;
      return;
    }
    const arm = this.#arms[test].get(variant) ?? { visitors: 0, right: 0 };
    arm.visitors++;
    if (right) arm.right++;
    this.#arms[test].set(variant, arm);
  }

  /** Zeros for an arm that nobody has met. */
  arm(test: TestName, variant: string): ArmCount {
    return this.#arms[test].get(variant) ?? { visitors: 0, right: 0 };
  }
}
