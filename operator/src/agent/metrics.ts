import { Counter, Gauge, type Registry } from 'prom-client';

export interface AgentMetrics {
  connected(is: boolean): void;
  status(): void;
  failedWrite(): void;
  /** 0: not held. */
  epoch(account: string, epoch: number): void;
}

export function agentMetrics(registry: Registry): AgentMetrics {
  const registers = [registry];
  const connected = new Gauge({
    name: 'flashpod_agent_core_connected',
    help: '1 while the core is connected',
    registers,
  });
  const statuses = new Counter({
    name: 'flashpod_agent_core_reports_total',
    help: 'Reports of the core',
    registers,
  });
  const failed = new Counter({
    name: 'flashpod_agent_status_write_failures_total',
    help: 'Status writes that failed and were tried again',
    registers,
  });
  const epochs = new Gauge({
    name: 'flashpod_agent_account_epoch',
    help: 'Epoch held, 0 when the Lease is not held',
    labelNames: ['account'],
    registers,
  });
  return {
    connected: (is) => connected.set(is ? 1 : 0),
    status: () => statuses.inc(),
    failedWrite: () => failed.inc(),
    epoch: (account, epoch) => epochs.set({ account }, epoch),
  };
}
