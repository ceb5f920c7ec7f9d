/** Owns the live view of `npm start -- --traffic`: it joins the traffic to the scoreboard and its table. */

import { repaint } from './repaint.ts';
import { Scoreboard } from './scoreboard.ts';
import { trafficTable } from './show.ts';
import { labelledTexts, seededRandom } from './texts.ts';
import { sendTraffic } from './traffic.ts';
import { population } from './visitors.ts';

const SEED = 20_261_123;

/** Sends and shows until `seconds` are over or the signal says stop; the last table stays. */
export async function showTraffic(
  url: string,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  stopping: AbortSignal,
): Promise<void> {
  const ends = Number.isFinite(seconds) ? AbortSignal.timeout(seconds * 1_000) : null;
  const signal = ends === null ? stopping : AbortSignal.any([ends, stopping]);
  const scoreboard = new Scoreboard();
  const visitors = population({ browsers: 400, clients: 100 });
  console.log(`Sending ${perSecond} texts a second from 400 browsers and 100 API clients.\n`);

  const table = repaint(() => trafficTable(scoreboard.rows(Date.now())));
  const { sent, leftOut } = await sendTraffic({
    url,
    perSecond,
    visitors,
    texts: labelledTexts({ seed: SEED, perLanguage: 120 }),
    random: seededRandom(SEED),
    signal,
    onAnswer: (answer) => scoreboard.add(answer, Date.now()),
  });
  table.stop();
  console.log(`\n${sent.toLocaleString('en')} texts sent.`);
  if (leftOut > 0)
    console.log(`${leftOut.toLocaleString('en')} were left out: this machine does not keep up with --rate.`);
}
