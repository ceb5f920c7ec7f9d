/** Owns what shells load. Each script hands the words before the cursor to `headgate complete --`, and offers its lines. */

import { didYouMean } from '../names.ts';
import { usage } from '../stop.ts';

/** The shells that have a completion. */
export type Shell = keyof typeof scripts;

const scripts = {
  bash: `# headgate completion for bash:  source <(headgate completion bash)
_headgate() {
  local IFS=$'\\n'
  # An "=" splits words here, but is part of them for headgate (blue=90).
  local line="\${COMP_LINE:0:COMP_POINT}"
  COMPREPLY=( $(compgen -W "$(headgate complete -- "$line" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}") )
  [[ \${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _headgate headgate`,
  zsh: `#compdef headgate
# headgate completion for zsh:  source <(headgate completion zsh)
_headgate() {
  local -a found
  found=( \${(f)"$(headgate complete -- "\${(j: :)words[1,CURRENT]}" 2>/dev/null)"} )
  if (( \${#found} )); then compadd -Q -S '' -- \${(M)found:#*=} ; compadd -- \${found:#*=}; else _files; fi
}
compdef _headgate headgate`,
  fish: `# headgate completion for fish:  headgate completion fish | source
complete -c headgate -f -a '(headgate complete -- (commandline -cp) 2>/dev/null)'
complete -c headgate -F -n 'string match -qr -- "--(file|plan|guardrails|export) *$| (apply|validate) " (commandline -cp)'`,
};

/** The script for a shell. Throws `Stop` for a shell that has none. */
export function shellScript(shell: Shell): string {
  if (Object.hasOwn(scripts, shell)) return scripts[shell];
  throw usage(`There is no completion for ${shell}.`, didYouMean(shell, Object.keys(scripts)));
}
