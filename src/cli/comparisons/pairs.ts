/** Owns how one kept pair reads: what was asked, who answered what, and the two answers side by side. Pure. */

import type { Sample } from '../../shadow/tally.ts';
import { figure } from '../figures.ts';
import { columnsOfScreen, type Screen } from '../screen.ts';
import { safe, wrap } from '../text.ts';
import { sideBySide } from './side-by-side.ts';

/** Characters of a request that are shown. */
const REQUEST_CHARS = 300;

/** Lines of the newest pairs, newest first; `candidate` is its name. */
export function pairLines(samples: readonly Sample[], candidate: string, screen: Screen): string[] {
  if (samples.length === 0) return [];
  const { bold } = screen.paint;
  return [
    bold('newest pairs that differ'),
    ...samples.flatMap((sample) => ['', ...onePair(sample, candidate, screen)]),
  ];
}

function onePair(sample: Sample, candidate: string, screen: Screen): string[] {
  const { paint } = screen;
  const columns = columnsOfScreen(screen);
  const reason = sample.reason === '' ? '' : ` (${safe(sample.reason)})`;
  const facts = [
    sample.at.slice(0, 19).replace('T', ' '),
    `${safe(sample.method)} ${safe(sample.path)}`,
    `${sample.class}${reason}`,
    ...(sample.role === 'counterfactual' ? ['the candidate served'] : []),
    ...(sample.similarity === undefined ? [] : [`likeness ${figure(sample.similarity)}`]),
  ];
  const request = [...sample.request.replace(/\s+/g, ' ')];
  const asked = request.length > REQUEST_CHARS ? `${request.slice(0, REQUEST_CHARS).join('')}…` : request.join('');
  return [
    ...wrap(`  ${facts.join('  ')}`, columns, '    ').map((line) => paint.bold(line)),
    ...(asked === '' ? [] : wrap(`  asked ${safe(asked)}`, columns, '    ').map((line) => paint.dim(line))),
    ...(sample.fields.length === 0 ? [] : wrap(`  differ in ${sample.fields.map(safe).join(', ')}`, columns, '    ')),
    ...sideBySide(
      { title: `baseline ${status(sample.liveStatus)}`, text: sample.live },
      { title: `${candidate} ${status(sample.candidateStatus)}`, text: sample.candidate },
      columns,
      screen,
    ),
  ];
}

const status = (code: number): string => (code === 0 ? '(no answer)' : String(code));
