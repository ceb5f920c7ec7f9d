/**
 * Owns `npm start -- --shadow`: it sends labelled traffic, gathers what comes of the copies, and shows it, live and at the end.
 * The live view reads records, which come at once; scores and the last report are the controller's, which isolates tell every
 * 15 seconds.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { type Comparisons, reportLines } from '../../cli/comparisons/report.ts';
import { terminal } from '../../cli/terminal.ts';
import type { ComparisonRow } from '../../records/rows.ts';
import { repaint } from '../repaint.ts';
import { labelledTexts, seededRandom } from '../texts.ts';
import { sendTraffic } from '../traffic.ts';
import { population } from '../visitors.ts';
import { type ShadowApi, shadowApi } from './ask.ts';
import { type Answers, ShadowBoard } from './board.ts';
import { endLines, liveLines, type Names } from './show.ts';

const SEED = 20_261_123;
const LOOK_MS = 1_000;
/** Texts of which both answers are asked at one look, so that the view costs the machine little. */
const ASKED_A_LOOK = 10;
/** A flush comes at most this long after the last pair. */
const LAST_FLUSH_MS = 20_000;

interface ShadowRun {
  url: string;
  /** Where `.dev.vars` lies. */
  root: string;
  baseline: string;
  candidate: string;
  perSecond: number;
  seconds: number;
}

/** Sends and shows until `seconds` are over or the signal says stop; then the comparison stays. */
export async function showShadow(run: ShadowRun, stopping: AbortSignal): Promise<void> {
  const { url, baseline, candidate, perSecond, seconds } = run;
  const api = shadowApi(url, run.root);
  await api.reset(candidate);
  await api.fresh();
  const ends = Number.isFinite(seconds) ? AbortSignal.timeout(seconds * 1_000) : null;
  const signal = ends === null ? stopping : AbortSignal.any([ends, stopping]);
  console.log(`Sending ${perSecond} texts a second to ${baseline}, and a copy of each to ${candidate}.\n`);

  const view = new View(api, run);
  const gathering = new AbortController();
  const gathered = view.gather(gathering.signal);
  const table = repaint(() => liveLines(view.board, run, view.report?.scores ?? null));
  const runId = Math.random().toString(36).slice(2, 10);
  let count = 0;
  const { sent, leftOut } = await sendTraffic({
    url,
    perSecond,
    visitors: population({ browsers: 400, clients: 100 }),
    texts: labelledTexts({ seed: SEED, perLanguage: 120 }),
    random: seededRandom(SEED),
    signal,
    onAnswer: () => {},
    requestId: (text) => {
      const id = `demo-${runId}-${++count}`;
      view.board.sent(id, text);
      return id;
    },
  });
  gathering.abort();
  await gathered;
  if (!stopping.aborted) await view.settle(sent, stopping);
  await view.look();
  table.stop();
  console.log(
    `\n${sent.toLocaleString('en')} texts sent${leftOut > 0 ? `, ${leftOut.toLocaleString('en')} left out: this machine does not keep up with --rate` : ''}.`,
  );
  conclude(view, run, stopping.aborted);
}

/** The last word: the report as `headgate comparisons` prints it, then languages and texts. */
function conclude({ board, report }: View, run: ShadowRun, isCutShort: boolean): void {
  if (report?.candidate) {
    const lag = isCutShort ? ' (its counts may be 15 s old)' : '';
    console.log(`\nWhat \`npm run headgate -- comparisons detect\` shows${lag}:\n`);
    console.log(reportLines('detect', report, terminal()).join('\n'));
  } else {
    console.log('\nScores and the full report come within 15 s of a pair: npm run headgate -- comparisons detect');
  }
  console.log(`\nWhere ${run.baseline} and ${run.candidate} disagree, by the true language of the text:\n`);
  console.log(endLines(board, run).join('\n'));
}

/** What is known so far, from records and from the controller. */
class View {
  readonly board = new ShadowBoard();
  report: Comparisons | null = null;
  readonly #api: ShadowApi;
  readonly #who: Names;

  constructor(api: ShadowApi, who: Names) {
    this.#api = api;
    this.#who = who;
  }

  async gather(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look();
      // Only the signal rejects it.
      await sleep(LOOK_MS, undefined, { signal }).catch(() => {});
    }
  }

  /** Waits until every request is in the controller's account, or no flush can come any more. */
  async settle(sent: number, stopping: AbortSignal): Promise<void> {
    const until = Date.now() + LAST_FLUSH_MS;
    while ((this.report?.eligible ?? 0) < sent && Date.now() < until && !stopping.aborted) {
      await sleep(LOOK_MS, undefined, { signal: stopping }).catch(() => {});
      await this.look();
    }
  }

  async #ask(text: string): Promise<Answers> {
    const [baseline, candidate] = await Promise.all([
      this.#api.said(this.#who.baseline, text),
      this.#api.said(this.#who.candidate, text),
    ]);
    return { baseline, candidate };
  }

  /** Fails quietly: what is missed now is seen at the next look. */
  async look(): Promise<void> {
    try {
      for (const row of await this.#api.fresh()) this.board.record(row as unknown as ComparisonRow);
      this.report = await this.#api.report(this.#who.candidate);
      const open = this.board.disagreements().filter(({ answers }) => answers === null);
      for (const { text } of open.slice(0, ASKED_A_LOOK)) this.board.answered(text, await this.#ask(text));
    } catch (cause) {
      if (!(cause instanceof Error) || cause.name !== 'Stop') throw cause;
    }
  }
}
