/** Owns the order of `npm run demo -- --ab`: the crowd, looks at both reports while it comes, and the reports at the end. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Report, reportLines, unitsOf } from '../../cli/experiment/report.ts';
import { whole } from '../../cli/figures.ts';
import type { Screen } from '../../cli/screen.ts';
import { safe } from '../../cli/text.ts';
import type { ActReport } from '../story/summary.ts';
import type { Teller } from '../story/teller.ts';
import { labelledTexts, seededRandom } from '../texts.ts';
import { type AbApi, abApi } from './api.ts';
import { abConfig, METRIC, TESTS, type TestName } from './config.ts';
import { Count } from './count.ts';
import { comeOneByOne } from './crowd.ts';
import { abReport } from './outcome.ts';
import { visit } from './visit.ts';

const SEED = 20_261_123;
/** Short texts are hard ones, so that both models make mistakes enough to be told apart by them. */
const MAX_CHARACTERS = 36;
const LOOK_EVERY_MS = 3_000;
/** An isolate tells its exposures every two seconds. */
const COUNTED_WITHIN_MS = 15_000;
const READY_WITHIN_MS = 10_000;

interface AbPlay {
  url: string;
  token: string;
  /** Requests a second, over both tests. */
  perSecond: number;
  /** Who comes, and at which size both tests are judged. */
  visitors: number;
  teller: Teller;
  screen: Screen;
  out: (text: string) => void;
  stopping: AbortSignal;
}

/** Plays it to the end. Rejects when it is stopped, or when a call is refused that it needs. */
export async function playAb(options: AbPlay): Promise<ActReport> {
  const { url, token, perSecond, visitors, teller, screen, out, stopping } = options;
  const api = abApi(url, token);
  await api.configure(abConfig(readFileSync(join(import.meta.dirname, '../config.json'), 'utf8'), visitors));
  await ready(url, stopping);
  tellBeginning(teller, options);
  const count = new Count();
  const random = seededRandom(SEED);
  const texts = labelledTexts({ seed: SEED, perLanguage: 400 }).filter(({ text }) => text.length <= MAX_CHARACTERS);
  // Drawn beforehand: the same visitors bring the same texts in every run, however fast the machine is.
  const brought = Array.from({ length: 2 * visitors }, () => texts[Math.floor(random() * texts.length)]!);
  const ending = new AbortController();
  const looking = look(api, teller, AbortSignal.any([stopping, ending.signal]));
  try {
    await comeOneByOne({
      count: 2 * visitors,
      perSecond,
      signal: stopping,
      visit: async (index) => {
        const test: TestName = index % 2 === 0 ? 'ab' : 'aa';
        count.add(await visit(url, test, `user-${Math.floor(index / 2) + 1}`, brought[index]!));
      },
    });
  } finally {
    ending.abort();
  }
  const decidedAt = await looking;
  const reports = await counted(api, visitors, stopping);
  for (const test of ['ab', 'aa'] as const) {
    const { route } = TESTS[test];
    out(['', screen.paint.dim(`$ headgate report ${route}`), ...reportLines(route, reports[test], screen)].join('\n'));
  }
  return abReport(reports, count, decidedAt);
}

function tellBeginning(teller: Teller, { visitors, perSecond }: AbPlay): void {
  teller.say(
    `${whole(visitors)} visitors each ask once in which language a short text is (${perSecond} requests a second). The texts and the ` +
      `models are real, and after each answer "${METRIC}" is posted back with its receipt.`,
  );
  teller.act(
    'A/B: third (franc) against green (eld)',
    `Half of the visitors each. Planned beforehand for ${whole(visitors)} units, and looked at all the while: the early test allows for that. ` +
      'A/A beside it: one model under two names. Whatever was found there would be a false alarm, as 5 of 100 such tests give by design; ' +
      'these visitors and texts are the same in every run, and are not among the five.',
  );
}

/** Tells each look, until it is ended. Ends with the units of the A/B test at the first look that had decided it; null if none had. */
async function look(api: AbApi, teller: Teller, signal: AbortSignal): Promise<number | null> {
  let decidedAt: number | null = null;
  try {
    for (;;) {
      await sleep(LOOK_EVERY_MS, undefined, { signal });
      const { ab, aa } = await bothOf(api);
      teller.moment(`${whole(unitsOf(ab))} visitors: A/B ${stateOf(ab)}; A/A ${stateOf(aa)}`);
      if (decidedAt === null && stateOf(ab) === 'better') decidedAt = unitsOf(ab);
    }
  } catch (cause) {
    if (!signal.aborted) throw cause;
    return decidedAt;
  }
}

/** The reports when every visitor is counted and the figures are closed; the last ones that there were, when that takes too long. */
async function counted(api: AbApi, visitors: number, signal: AbortSignal): Promise<Record<TestName, Report>> {
  const until = Date.now() + COUNTED_WITHIN_MS;
  for (;;) {
    const reports = await bothOf(api);
    const isCounted = Object.values(reports).every((report) => unitsOf(report) >= visitors && report.closed);
    if (isCounted || Date.now() > until) return reports;
    await sleep(500, undefined, { signal });
  }
}

async function bothOf(api: AbApi): Promise<Record<TestName, Report>> {
  return { ab: await api.report(TESTS.ab.route), aa: await api.report(TESTS.aa.route) };
}

/** Until the config has come to the isolate. Whoever opts out is no part of an experiment, so this counts for nothing. */
async function ready(url: string, signal: AbortSignal): Promise<void> {
  const body = JSON.stringify({ text: 'Is anybody there?' });
  const headers = { 'content-type': 'application/json', 'x-headgate-opt-out': '1', 'x-user-id': 'nobody' };
  for (const until = Date.now() + READY_WITHIN_MS; Date.now() < until; await sleep(200, undefined, { signal })) {
    const answer = await fetch(`${url}/v1/detect`, { method: 'POST', headers, body, signal }).catch(() => null);
    await answer?.text();
    if (answer?.ok) return;
  }
}

const stateOf = (report: Report): string =>
  safe(report.metrics.find(({ name }) => name === METRIC)?.state ?? 'unknown');
