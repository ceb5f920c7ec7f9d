/** Owns the order of the story: traffic that never stops, and the acts one after another. It starts no process and prints no end. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { labelledTexts, seededRandom } from '../texts.ts';
import { sendTraffic } from '../traffic.ts';
import { population } from '../visitors.ts';
import { brokenAct } from './acts/broken.ts';
import { canaryAct } from './acts/canary.ts';
import { shadowAct } from './acts/shadow.ts';
import { switchAct } from './acts/switch.ts';
import { wrongAct } from './acts/wrong.ts';
import { storyApi } from './api.ts';
import { storyConfig } from './config.ts';
import { Feedback } from './feedback.ts';
import type { Stage } from './follow.ts';
import { Ledger } from './ledger.ts';
import type { Plans } from './plans.ts';
import type { ActReport } from './summary.ts';
import type { Teller } from './teller.ts';

const SEED = 20_261_123;
const CROWD = { browsers: 400, clients: 100 };
const WARM_UP_MS = 1_000;
const ACTS = [shadowAct, canaryAct, brokenAct, wrongAct, switchAct];

interface Play {
  url: string;
  token: string;
  perSecond: number;
  plans: Plans;
  teller: Teller;
  /** Ends the story: then `play` rejects. */
  stopping: AbortSignal;
}

/** Plays the whole story. Rejects when it is stopped, or when a call is refused that the story needs. */
export async function play({ url, token, perSecond, plans, teller, stopping }: Play): Promise<ActReport> {
  const api = storyApi(url, token);
  await api.configure(storyConfig(readFileSync(join(import.meta.dirname, '../config.json'), 'utf8')));
  const ledger = new Ledger();
  const feedback = new Feedback(url);
  const ending = new AbortController();
  teller.say(
    `${CROWD.browsers} browsers (they keep a cookie) and ${CROWD.clients} API clients (they send x-user-id) ask ${perSecond} times a ` +
      'second in which language a text is. The texts and the models are real.',
  );
  const traffic = sendTraffic({
    url,
    perSecond,
    visitors: population(CROWD),
    texts: labelledTexts({ seed: SEED, perLanguage: 120 }),
    random: seededRandom(SEED),
    signal: AbortSignal.any([ending.signal, stopping]),
    onAnswer: ({ variant, right, ms }, { visitor, sentAtMs }, receipt) => {
      ledger.add({ variant, visitor, sentAtMs, failed: right === null, ms });
      feedback.add(receipt, right);
    },
  });
  const stage: Stage = { api, ledger, teller, plans, feedback, stopping };
  const reports: ActReport[] = [];
  try {
    await sleep(WARM_UP_MS, undefined, { signal: stopping });
    for (const act of ACTS) reports.push(await act(stage));
  } finally {
    ending.abort();
    await traffic;
    await feedback.end();
  }
  reports.push(trafficReport(await traffic, ledger));
  return { facts: reports.flatMap(({ facts }) => facts), differs: reports.flatMap(({ differs }) => differs) };
}

function trafficReport({ sent, leftOut }: { sent: number; leftOut: number }, ledger: Ledger): ActReport {
  const all = sent + leftOut;
  const facts = [
    { act: 'in all', what: 'requests, visitors', measured: `${sent.toLocaleString('en')}, ${ledger.visitors}` },
  ];
  if (leftOut > 0.02 * all) {
    const measured = `${((100 * leftOut) / all).toFixed(0)} %: try a lower --rate`;
    facts.push({ act: 'in all', what: 'left out, machine too slow', measured });
  }
  return { facts, differs: [] };
}
