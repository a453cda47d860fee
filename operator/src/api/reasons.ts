// Every condition type, condition reason and event reason. A reason is part of the interface: it keeps its meaning.

/** Condition types, all positive: True is the good state. */
export const conditions = {
  /** The spec refers to things that exist and asks for what can be done. */
  accepted: 'Accepted',
  /** Strategy: trading. Account: reconciled and held. Core: its pod is ready. */
  ready: 'Ready',
  /** No open order and no position is left. */
  flat: 'Flat',
  /** The account's Lease is held by a core. */
  held: 'Held',
  /** The ledger equals what the venue says. */
  ledgerEqual: 'LedgerEqualsVenue',
  /** The agent is in touch with its core. */
  agentConnected: 'AgentConnected',
  /** A halt covers at least one strategy. */
  selects: 'Selects',
} as const;

export const reasons = {
  // Accepted
  valid: 'Valid',
  accountNotFound: 'AccountNotFound',
  accountNotReady: 'AccountNotReady',
  coreNotFound: 'CoreNotFound',
  strategyUnknown: 'StrategyUnknown',
  parameterInvalid: 'ParameterInvalid',
  schemaNotFound: 'SchemaNotFound',
  schemaInvalid: 'SchemaInvalid',
  symbolUnknown: 'SymbolUnknown',
  liveNotAllowed: 'LiveNotAllowed',
  credentialsNotFound: 'CredentialsNotFound',
  caConflict: 'CaConflict',
  sameExchangeAccount: 'SameExchangeAccount',

  // Ready
  notAccepted: 'NotAccepted',
  starting: 'Starting',
  trading: 'Trading',
  reduceOnly: 'ReduceOnly',
  halted: 'Halted',
  suspended: 'Suspended',
  stopping: 'Stopping',
  podNotReady: 'PodNotReady',
  sidecarNotConnected: 'SidecarNotConnected',
  sidecarLost: 'SidecarLost',
  strategyFailed: 'StrategyFailed',
  capitalMissing: 'CapitalMissing',
  lossLimit: 'LossLimitReached',
  podReady: 'PodReady',
  podPending: 'PodPending',
  reconciled: 'Reconciled',
  reconciling: 'Reconciling',

  // Flat
  noPosition: 'NoPosition',
  proven: 'Proven',
  flattening: 'Flattening',
  flattenStuck: 'FlattenStuck',

  // Held, LedgerEqualsVenue, AgentConnected
  leaseHeld: 'LeaseHeld',
  leaseWaiting: 'LeaseWaiting',
  leaseLost: 'LeaseLost',
  audited: 'Audited',
  difference: 'Difference',
  notAudited: 'NotAudited',
  connected: 'Connected',
  disconnected: 'Disconnected',

  // Selects
  selected: 'Selected',
  nothingSelected: 'NothingSelected',
} as const;

export type Reason = (typeof reasons)[keyof typeof reasons];

export const eventReasons = {
  accepted: 'Accepted',
  refused: 'Refused',
  instanceCreated: 'InstanceCreated',
  instanceStopping: 'InstanceStopping',
  instanceStopped: 'InstanceStopped',
  limitsChanged: 'LimitsChanged',
  podCreated: 'PodCreated',
  podReplaced: 'PodReplaced',
  flattenStuck: 'FlattenStuck',
  abandoned: 'Abandoned',
  ordersOrphaned: 'OrdersOrphaned',
  deletionHeld: 'DeletionHeld',
  leaseAcquired: 'LeaseAcquired',
  leaseLost: 'LeaseLost',
  sidecarLost: 'SidecarLost',
  strategyFailed: 'StrategyFailed',
  lossLimit: 'LossLimitReached',
  lossLimitReset: 'LossLimitReset',
} as const;
export type EventReason = (typeof eventReasons)[keyof typeof eventReasons];
