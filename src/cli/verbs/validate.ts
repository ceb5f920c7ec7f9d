/** Owns `headgate validate FILE`: every fault of a config file at once. It changes nothing anywhere. */

import { parseConfig } from '../../config/parse.ts';
import type { Fault } from '../../result.ts';
import { connect } from '../client.ts';
import { readText } from '../json-file.ts';
import { faultLines } from '../print.ts';
import { Stop } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb } from '../verb.ts';

type Checked = { valid: true; warnings: Fault[] } | { valid: false; faults: Fault[] };

export const validate = verb({
  summary: 'Check a config file, here or (with --url) against a Worker that knows its secrets and bindings',
  args: {
    file: { type: 'positional', required: true, description: 'The config, JSON; - reads standard input' },
  },
  async run(args, terminal) {
    const text = readText(args.file, 'name a config file; headgate init URL writes a first one', terminal);
    const checked = args.url ? await askWorker(text, args, terminal) : checkHere(text);
    if (args.json) {
      terminal.out(JSON.stringify(checked, null, 2));
      return checked.valid ? 0 : 1;
    }
    const { green, red, yellow } = terminal.paint;
    if (!checked.valid) {
      terminal.out(`${red('✗')} ${args.file}: ${count(checked.faults, 'fault')}, refused whole`);
      terminal.out(faultLines(checked.faults, terminal).join('\n'));
      return 1;
    }
    terminal.out(`${green('✓')} ${args.file} is valid`);
    if (checked.warnings.length > 0) {
      terminal.out(`${yellow('!')} ${count(checked.warnings, 'warning')}`);
      terminal.out(faultLines(checked.warnings, terminal).join('\n'));
    }
    return 0;
  },
});

function checkHere(text: string): Checked {
  const parsed = parseConfig(text, { unknownKeys: 'fault' });
  return parsed.ok ? { valid: true, warnings: parsed.value.warnings } : { valid: false, faults: parsed.error };
}

async function askWorker(text: string, args: Parameters<typeof connect>[0], terminal: Terminal): Promise<Checked> {
  const { client, ask } = connect(args, terminal);
  try {
    return await ask(client.api.config.validate.$post(undefined, { init: { body: text } }));
  } catch (cause) {
    if (cause instanceof Stop && cause.trouble.code === 'invalid_config') {
      return { valid: false, faults: cause.trouble.faults ?? [] };
    }
    throw cause;
  }
}

function count(faults: readonly Fault[], word: string): string {
  return `${faults.length} ${word}${faults.length === 1 ? '' : 's'}`;
}
