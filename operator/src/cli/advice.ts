// What to do about a condition that is not as it should be, by its reason.

import type { Condition } from '@flashpod/crds';
import { type Reason, reasons, conditions as types } from '../api/reasons.js';

/** Reasons of conditions that are as they should be. */
type Fine =
  | 'Valid'
  | 'Trading'
  | 'PodReady'
  | 'Reconciled'
  | 'NoPosition'
  | 'Proven'
  | 'LeaseHeld'
  | 'Audited'
  | 'Connected'
  | 'Selected';

const advice: Readonly<Record<Exclude<Reason, Fine>, string>> = {
  AccountNotFound: 'Name a TradingAccount of this namespace: flashpod get accounts',
  AccountNotReady: 'Wait until the core has connected; if it does not: flashpod logs core NAME',
  CoreNotFound: 'Make an ExecutionCore that lists the account: flashpod get cores',
  StrategyUnknown: 'Correct spec.strategy, or give the strategy an image of its own',
  ParameterInvalid: 'Correct the parameter and apply again',
  SchemaNotFound: 'Make the schema: flashpod schema FOLDER | kubectl apply -f -',
  SchemaInvalid: 'Make the schema anew: flashpod schema FOLDER | kubectl apply -f -',
  SymbolUnknown: 'Correct spec.symbols; the account lists what can be traded: flashpod describe account NAME',
  LiveNotAllowed: 'Use a Simulated account, or set allowLive on the account if real money is meant',
  CredentialsNotFound: 'Make the Secret with apiKey and secretKey',
  CaConflict: 'Give all accounts of a core the same certificate authority',
  SameExchangeAccount: 'Give each TradingAccount keys of its own: one exchange account, one TradingAccount',
  NotAccepted: 'Correct what condition Accepted says',
  Starting: 'Wait; if it stays so, read the logs: flashpod logs strategy NAME',
  Suspended: 'Set spec.suspended to false, if it is to trade',
  Stopping: 'Wait until its orders and positions are closed; condition Flat says what is still open',
  Flattening: 'Wait; condition Flat says what is still open',
  CapitalMissing: 'Lower spec.capital, or move coins to the account: flashpod describe account NAME',
  LossLimitReached:
    'Find out why it lost; to go on: kubectl annotate KIND NAME --overwrite trading.flashpod.dev/reset-risk="$(date -u +%FT%TZ)"',
  PodNotReady: 'Read its log: flashpod logs strategy NAME',
  PodPending: 'Wait; if it stays so, see the events below',
  StrategyFailed: 'Read its log (flashpod logs strategy NAME), mend it, and delete its pod to start it anew',
  SidecarLost: 'Read the log of the process that was lost: flashpod logs strategy NAME --previous',
  SidecarNotConnected: 'Read its log: flashpod logs strategy NAME',
  Halted: 'See which halt it is: flashpod get halts; lift it: flashpod halt --lift NAME',
  ReduceOnly: 'The core opens no risk: flashpod status says why',
  FlattenStuck: 'See the position; the way out without proof is the annotation trading.flashpod.dev/abandon',
  LeaseLost: 'Nobody trades the account: see the core and its agent: flashpod logs agent NAME',
  LeaseWaiting: 'Another core holds the account; it hands over when its lease ends',
  Reconciling: 'Wait; if it stays so, read the log of its core: flashpod logs core NAME',
  NotAudited: 'Wait for the first audit',
  NothingSelected: 'Correct spec.selector, or remove the halt: flashpod halt --lift NAME',
  Difference:
    'The exchange has something that the core does not know of; find out what, then accept it: flashpod account adopt NAME',
  Disconnected: 'The agent does not reach its core: flashpod logs agent NAME',
};

/** Not flat is how a strategy trades; only one that cannot get flat needs somebody. */
const isWrong = ({ status, type, reason }: Condition): boolean =>
  status !== 'True' && (type !== types.flat || reason === reasons.flattenStuck);

/** Sentences on the conditions that are not as they should be, the likely cause first. */
export function whatToDo(conditions: readonly Condition[]): string[] {
  const known: Readonly<Record<string, string>> = advice;
  // An operator of another version may know reasons that we do not.
  const said = ({ type, reason }: Condition) => known[reason] ?? `See the message of condition ${type}`;
  return [...new Set(conditions.filter(isWrong).map(said))];
}
