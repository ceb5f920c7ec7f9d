/** Owns the visitors' own count, and what of the ledger's export and report differs from it. It knows nothing of how either was made. */

import type { Report } from '../../../src/experiment/report.ts';
import type { UnitRow } from '../../../src/experiment/words.ts';

/** What one visitor did, as they know it themselves. */
export interface Diary {
  unit: string;
  variant: string;
  requests: number;
  errors: number;
  /** Null: nothing was reported. */
  helpful: number | null;
  /** Everything that was reported, before the cap. */
  spent: number | null;
}

export interface Compared {
  units: number;
  byVariant: Record<string, { units: number; helped: number; spent: number }>;
  /** In sentences; empty when all is equal. */
  differences: string[];
}

/** Holds the ledger's rows and sums against the diaries, exactly. */
export function compare(diaries: readonly Diary[], rows: readonly UnitRow[], report: Report, cap: number): Compared {
  const differences: string[] = [];
  const differ = (what: string, ledger: unknown, visitors: unknown) => {
    if (ledger !== visitors) differences.push(`${what}: ${ledger} in the ledger, ${visitors} by the visitors`);
  };
  const byUnit = new Map(rows.map((row) => [row.unit, row]));
  differ('rows', rows.length, diaries.length);
  const byVariant: Compared['byVariant'] = {};
  for (const { unit, variant, requests, errors, helpful, spent } of diaries) {
    const spend = spent === null ? undefined : Math.max(-cap, Math.min(cap, spent));
    byVariant[variant] ??= { units: 0, helped: 0, spent: 0 };
    const arm = byVariant[variant];
    arm.units++;
    arm.helped += helpful ?? 0;
    arm.spent += spend ?? 0;
    const row = byUnit.get(unit);
    if (row === undefined) {
      differences.push(`unit ${unit} is not in the ledger`);
      continue;
    }
    differ(`variant of ${unit}`, row.variant, variant);
    differ(`requests of ${unit}`, row.requests, requests);
    differ(`errors of ${unit}`, row.errors, errors);
    differ(`helpful of ${unit}`, row.outcomes.helpful, helpful ?? undefined);
    differ(`spend of ${unit}`, row.outcomes.spend, spend);
  }
  for (const [variant, arm] of Object.entries(byVariant)) {
    differ(`units of ${variant}`, report.units[variant], arm.units);
    differ(`conversions of ${variant}`, armOf(report, 'helpful', variant)?.successes, arm.helped);
    differ(`spend of ${variant}`, armOf(report, 'spend', variant)?.sum, arm.spent);
  }
  differ('crossovers', report.crossovers, 0);
  return { units: diaries.length, byVariant, differences };
}

function armOf({ metrics }: Report, metric: string, variant: string) {
  return metrics.find(({ name }) => name === metric)?.arms[variant];
}
