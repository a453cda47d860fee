import type { ExecutionCore, JournalSize, PaperMatching, TradingAccount } from '@flashpod/crds';
import { secretOf } from '../account/twin.js';
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
    /** Folder of the keys below --credentials-dir; absent: there are none, and everything is on paper. */
    readonly credentials?: string;
    readonly paper?: PaperMatching;
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
    accounts: accounts.map((account) => ({
      name: account.metadata.name,
      environment: account.spec.environment,
      rest: account.spec.endpoints?.rest ?? venueEndpoints.rest,
      ws: account.spec.endpoints?.ws ?? venueEndpoints.ws,
      ...(secretOf(account) === undefined ? {} : { credentials: account.metadata.name }),
      ...(account.spec.paper === undefined ? {} : { paper: account.spec.paper }),
    })),
  };
}
