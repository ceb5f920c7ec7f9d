/** Owns `headgate completion SHELL`: the few lines a shell needs. What fits is found by `headgate complete`, which they call. */

import { type Shell, shellScript } from '../complete/scripts.ts';
import { verb } from '../verb.ts';

export const completion = verb({
  summary: 'Print the completion of verbs, options, routes and variants for a shell',
  args: {
    shell: { type: 'positional', required: true, description: 'bash, zsh or fish' },
  },
  async run(args, terminal) {
    const script = shellScript(args.shell as Shell);
    if (args.json) terminal.out(JSON.stringify({ shell: args.shell, script }));
    else terminal.out(script);
    return 0;
  },
});
