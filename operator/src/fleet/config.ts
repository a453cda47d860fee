import type { ExecutionCore, JournalSize, TradingAccount } from '@flashpod/crds';
import { venueEndpoints } from '../api/defaults.js';

/** What `flashpod-core run --config` reads. It holds no secret: keys are files of their own. */
export interface CoreConfig {
  readonly core: string;
  readonly namespace: string;
  readonly pollMode: string;
  readonly stopPolicy: string;
  readonly journal: JournalSize;
  readonly accounts: readonly {
    readonly name: string;
    readonly environment: string;
    readonly rest: string;
    readonly ws: string;
    /** Folder of the keys below --credentials-dir. */
    readonly credentials: string;
  }[];
}

export function coreConfig(
  { metadata, spec }: ExecutionCore,
  accounts: readonly TradingAccount[],
): CoreConfig {
  return {
    core: metadata.name,
    namespace: metadata.namespace ?? 'default',
    pollMode: spec.pollMode,
    stopPolicy: spec.stopPolicy,
    journal: { segmentMiB: spec.journal.segmentMiB, keepMiB: spec.journal.keepMiB },
    accounts: accounts.map(({ metadata: { name }, spec: account }) => ({
      name,
      environment: account.environment,
      rest: account.endpoints?.rest ?? venueEndpoints.rest,
      ws: account.endpoints?.ws ?? venueEndpoints.ws,
      credentials: name,
    })),
  };
}
