// What a command is. Help, parsing, exit codes and the completions of shells come from the same table.

import type { KubeClient } from '../../kube/index.js';

/** What a shell offers for a value: files, folders, words, or names of objects of a kind. */
export type Completion =
  | 'file'
  | 'folder'
  | { readonly words: readonly string[] }
  | { readonly kind: string };

export interface Flag {
  /** `--all`, `--for <duration>`, `-n, --namespace <name>`; `<file...>` takes several values. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** May be given several times; the values come as a list. */
  readonly repeatable?: boolean;
  readonly required?: boolean;
  readonly complete?: Completion;
}

export interface Argument {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
  readonly default?: string;
  readonly complete?: Completion;
}

/** Flags that every command with them shares. */
export interface CommonFlags {
  kubeconfig?: string;
  namespace?: string;
  output?: string;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly arguments?: readonly Argument[];
  readonly flags?: readonly Flag[];
  /** Speaks to an API server: takes --kubeconfig and --namespace. */
  readonly cluster?: boolean;
  /** Output formats of -o; the first is the default. */
  readonly outputs?: readonly string[];
  readonly examples?: readonly string[];
  // biome-ignore lint/suspicious/noExplicitAny: each command knows its own flags, the table does not
  run(flags: any, args: readonly (string | undefined)[]): Promise<void> | void;
}

/** What a command does with an API server. */
export type ClusterWork = (client: KubeClient, namespace: string) => Promise<void>;

export const outputFlag = (outputs: readonly string[]): Flag => ({
  flags: '-o, --output <format>',
  description: 'output format',
  choices: outputs,
  default: outputs[0] ?? 'text',
});

export const clusterFlags: readonly Flag[] = [
  {
    flags: '--kubeconfig <file>',
    description: 'kubeconfig to use (default: KUBECONFIG, the local run that is up, ~/.kube/config)',
    complete: 'file',
  },
  { flags: '-n, --namespace <name>', description: 'namespace (default: that of the kubeconfig)' },
];

/** Every flag that a command takes. */
export function flagsOf({ flags = [], cluster, outputs }: Command): readonly Flag[] {
  return [...flags, ...(cluster ? clusterFlags : []), ...(outputs ? [outputFlag(outputs)] : [])];
}
