// The API server that a command speaks to.

import { KubeClient } from '../kube/index.js';
import type { ClusterWork, CommonFlags } from './commands/table.js';
import { currentKubeconfig } from './up/run-directory.js';

/** The cluster of --kubeconfig or KUBECONFIG, else the local run that is up, else kubectl's default. */
export async function withCluster(common: CommonFlags, work: ClusterWork): Promise<void> {
  // KUBECONFIG may list several files: its own reader joins them.
  const kubeconfig = common.kubeconfig ?? (process.env['KUBECONFIG'] ? undefined : currentKubeconfig());
  const client = KubeClient.load(kubeconfig === undefined ? {} : { kubeconfig });
  try {
    await work(client, common.namespace ?? client.namespace);
  } finally {
    await client.close();
  }
}
