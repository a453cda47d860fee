// Logs of the containers behind a word that a user knows: a strategy, a core, the agent beside it.

import { corePodName } from '../api/names.js';
import { FlashpodError } from '../errors.js';
import type { KubeClient } from '../kube/index.js';
import { resourceOf } from './kinds.js';
import { UsageError } from './usage.js';

export const logWords = ['strategy', 'core', 'agent'] as const;

export interface LogFlags {
  follow?: boolean;
  tail?: string;
  previous?: boolean;
}

interface Container {
  readonly pod: string;
  readonly container: string;
}

/** Which container of which pod is meant. */
export async function containerOf(
  client: KubeClient,
  namespace: string,
  word: string,
  name: string,
): Promise<Container> {
  switch (word) {
    case 'strategy': {
      const { status } = await client.of(resourceOf('TradingStrategy')).get({ namespace, name });
      if (status?.instance !== undefined) return { pod: status.instance, container: 'strategy' };
      throw new FlashpodError('cli.no-logs', `TradingStrategy "${name}" has no pod: nothing of it runs`, {
        remedy: `See why: flashpod describe strategy ${name}`,
      });
    }
    case 'core':
    case 'agent':
      await client.of(resourceOf('ExecutionCore')).get({ namespace, name });
      return { pod: corePodName(name), container: word };
    default:
      throw new UsageError('what', word, `one of ${logWords.join(', ')}`);
  }
}

function tailLines(text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new UsageError('--tail', text, 'a number of lines');
}

/** The text of a log, as it comes. */
export async function* readLog(
  client: KubeClient,
  namespace: string,
  { pod, container }: Container,
  { follow, tail, previous }: LogFlags,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  const query = {
    container,
    ...(follow ? { follow } : {}),
    ...(previous ? { previous } : {}),
    ...(tail === undefined ? {} : { tailLines: tailLines(tail) }),
  };
  yield* client.http.text({ method: 'GET', path, query, ...(signal === undefined ? {} : { signal }) });
}
