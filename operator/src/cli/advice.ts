// What to do about a condition that is not as it should be, by its reason.

import type { Condition } from '@flashpod/crds';

const advice: Readonly<Record<string, string>> = {
  AccountNotFound: 'Name a TradingAccount of this namespace: flashpod get accounts',
  AccountNotReady: 'Wait until the core has connected; if it does not: flashpod logs core NAME',
  CoreNotFound: 'Make an ExecutionCore that lists the account: flashpod get cores',
  StrategyUnknown: 'Correct spec.strategy, or give the strategy an image of its own',
  ParameterInvalid: 'Correct the parameter and apply again',
  SchemaNotFound: 'Make the schema: flashpod schema FOLDER | kubectl apply -f -',
  SchemaInvalid: 'Make the schema anew: flashpod schema FOLDER | kubectl apply -f -',
  SymbolUnknown: 'Correct spec.symbols; the account lists what can be traded: flashpod describe account NAME',
  ModeNotSupported: 'Use mode Live on a Simulated account',
  LiveNotAllowed: 'Use a Simulated account, or set allowLive on the account if real money is meant',
  CredentialsNotFound: 'Make the Secret with apiKey and secretKey',
  CaConflict: 'Give all accounts of a core the same certificate authority',
  CapitalMissing: 'Lower spec.capital, or move coins to the account: flashpod describe account NAME',
  PodNotReady: 'Read its log: flashpod logs strategy NAME',
  PodPending: 'Wait; if it stays so, see the events below',
  SidecarNotConnected: 'Read its log: flashpod logs strategy NAME',
  Halted: 'See which halt it is: flashpod get halts; lift it: flashpod halt --lift NAME',
  ReduceOnly: 'The core opens no risk: flashpod status says why',
  FlattenStuck: 'See the position; the way out without proof is the annotation trading.flashpod.dev/abandon',
  LeaseLost: 'Nobody trades the account: see the core and its agent: flashpod logs agent NAME',
  LeaseWaiting: 'Another core holds the account; it hands over when its lease ends',
  Difference:
    'The exchange has something that the core does not know of; the account only reduces until it is explained',
  Disconnected: 'The agent does not reach its core: flashpod logs agent NAME',
};

/** Sentences on the conditions that are not True, the likely cause first. */
export function whatToDo(conditions: readonly Condition[]): string[] {
  const wrong = conditions.filter(({ status, type }) => status !== 'True' && type !== 'Flat');
  return [...new Set(wrong.flatMap(({ reason }) => advice[reason] ?? []))];
}
