// What a shell may offer next, from the table of commands; and the few lines that ask for it in each shell.

import type { Argument, Command, Completion, Flag } from './commands/table.js';
import { flagsOf } from './commands/table.js';

export type Candidates = readonly string[] | 'file' | 'folder' | { readonly kind: string };

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** `-n, --namespace <name>` → its names, and whether a value follows. */
function namesOf({ flags }: Flag): { names: string[]; takesValue: boolean } {
  return { names: flags.match(/(?<![\w-])-{1,2}[\w-]+/g) ?? [], takesValue: flags.includes('<') };
}

function valuesOf(
  spec: { choices?: readonly string[]; complete?: Completion },
  before: readonly string[],
): Candidates {
  if (spec.choices !== undefined) return spec.choices;
  const { complete } = spec;
  if (complete === undefined) return [];
  if (typeof complete === 'string') return complete;
  if ('words' in complete) return complete.words;
  // `$1`: of the kind that the first argument says.
  return { kind: complete.kind === '$1' ? (before[0] ?? '') : complete.kind };
}

/** Candidates for the last of the words after `flashpod`; the caller keeps those that begin as it does. */
export function candidates(commands: readonly Command[], words: readonly string[]): Candidates {
  const [name, ...rest] = words;
  const command = commands.find((one) => one.name === name);
  if (rest.length === 0 || command === undefined)
    return rest.length === 0 ? commands.map((one) => one.name) : [];
  const flags = flagsOf(command).map((flag) => ({ flag, ...namesOf(flag) }));
  const given: string[] = [];
  let awaiting: Flag | undefined;
  for (const word of rest.slice(0, -1)) {
    // Flags end a list of values.
    if (awaiting !== undefined && !(awaiting.flags.includes('...') && word.startsWith('-')))
      awaiting = awaiting.flags.includes('...') ? awaiting : undefined;
    else if (word.startsWith('-'))
      awaiting = flags.find(({ names, takesValue }) => takesValue && names.includes(word))?.flag;
    else given.push(word);
  }
  const current = rest.at(-1) ?? '';
  if (awaiting !== undefined && !current.startsWith('-')) return valuesOf(awaiting, given);
  if (current.startsWith('-'))
    return flags.flatMap(({ names }) => names.filter((one) => one.startsWith('--')));
  const argument: Argument | undefined = command.arguments?.[given.length];
  return argument === undefined ? [] : valuesOf(argument, given);
}

/** The values of the last of these flags before the word that is completed. */
export function givenValue(words: readonly string[], ...names: string[]): string | undefined {
  const at = words.findLastIndex((word, index) => index < words.length - 2 && names.includes(word));
  return at < 0 ? undefined : words[at + 1];
}

const scripts: Record<Shell, string> = {
  bash: `# flashpod completion: source <(flashpod completion bash)
_flashpod_paths() {
  local path
  # Folders get a slash, blanks are escaped; the bash of macOS does not have it.
  compopt -o filenames 2>/dev/null
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$2")
}
_flashpod() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" line
  COMPREPLY=()
  while IFS= read -r line; do
    case "$line" in
      :file) _flashpod_paths -f "$cur" ;;
      :folder) _flashpod_paths -d "$cur" ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <(flashpod __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _flashpod flashpod`,
  zsh: `#compdef flashpod
# flashpod completion: source <(flashpod completion zsh)
_flashpod() {
  local -a found
  local line
  while IFS= read -r line; do
    case "$line" in
      :file) _files ;;
      :folder) _files -/ ;;
      *) found+=("$line") ;;
    esac
  done < <(flashpod __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#found )) && compadd -a found
}
compdef _flashpod flashpod`,
  fish: `# flashpod completion: flashpod completion fish | source
function __flashpod_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (flashpod __complete $words[2..-1] 2>/dev/null)
    switch $line
      case ':file'
        __fish_complete_path (commandline -ct)
      case ':folder'
        __fish_complete_directories (commandline -ct)
      case '*'
        echo $line
    end
  end
end
complete -c flashpod -f -a '(__flashpod_complete)'`,
};

export const completionScript = (shell: Shell): string => scripts[shell];
