// One screen: what runs, what it holds, and what is wrong. Pure: objects in, health out.

import type {
  Condition,
  ExecutionCore,
  Halt,
  StrategyInstance,
  TradingAccount,
  TradingStrategy,
} from '@flashpod/crds';
import { accountLeaseName } from '../api/names.js';
import type { Lease } from '../kube/index.js';
import { age, alignColumns } from './columns.js';

export interface Observed {
  readonly cores: readonly ExecutionCore[];
  readonly accounts: readonly TradingAccount[];
  readonly strategies: readonly TradingStrategy[];
  readonly instances: readonly StrategyInstance[];
  readonly halts: readonly Halt[];
  readonly leases: readonly Lease[];
}

export interface Health {
  readonly healthy: boolean;
  /** Each with the object, what is wrong, and its reason. */
  readonly problems: readonly string[];
  readonly cores: readonly Row[];
  readonly accounts: readonly Row[];
  readonly books: readonly Row[];
  readonly strategies: readonly Row[];
  readonly halts: readonly Row[];
  readonly lastRejects: readonly Row[];
}
type Row = Readonly<Record<string, string | number | boolean | undefined>>;

const conditionOf = (conditions: readonly Condition[] | undefined, type: string): Condition | undefined =>
  conditions?.find((condition) => condition.type === type);

interface Conditioned {
  readonly metadata: { readonly generation?: number };
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** In words what keeps a condition from being True; nothing when nothing does. */
function wrong(what: string, { metadata, status }: Conditioned, type: string): string[] {
  const found = conditionOf(status?.conditions, type);
  const { generation = 0 } = metadata;
  if (found !== undefined && (found.observedGeneration ?? generation) < generation)
    return [`${what}: ${type} is of generation ${found.observedGeneration}, the object is at ${generation}`];
  if (found?.status === 'True') return [];
  return [
    `${what}: ${type} is ${found?.status ?? 'not known yet'}${found ? `: ${found.message || found.reason}` : ''}`,
  ];
}

/** As `wrong`, for a condition that is not said of every object. */
function stated(what: string, object: Conditioned, type: string): string[] {
  return conditionOf(object.status?.conditions, type) === undefined ? [] : wrong(what, object, type);
}

export function healthOf(observed: Observed, now: number): Health {
  const problems = [
    ...(observed.cores.length === 0 ? ['there is no ExecutionCore'] : []),
    ...observed.cores.flatMap(coreProblems),
    ...observed.accounts.flatMap((account) => accountProblems(account, observed.leases, now)),
    ...observed.strategies.flatMap((strategy) => strategyProblems(strategy, observed)),
    ...observed.halts.map(
      ({ metadata, spec }) => `halt ${metadata.name} is in force: ${spec.action}, ${spec.reason}`,
    ),
  ];
  return {
    healthy: problems.length === 0,
    problems,
    cores: observed.cores.map(({ metadata, status }) => ({
      core: metadata.name,
      ready: conditionOf(status?.conditions, 'Ready')?.status ?? 'Unknown',
      version: status?.version,
      agent: conditionOf(status?.conditions, 'AgentConnected')?.status ?? 'Unknown',
      metrics: status?.metricsAddress,
    })),
    accounts: observed.accounts.map(({ metadata, spec, status }) => ({
      account: metadata.name,
      environment: spec.environment,
      core: status?.core,
      epoch: status?.epoch,
      leaseAge: leaseAge(metadata.name, observed.leases, now),
      ledgerEqual: status?.ledgerEqualsVenue,
      audited: status?.auditedAt === undefined ? undefined : age(status.auditedAt, now),
    })),
    books: observed.cores.flatMap(({ metadata, status }) =>
      (status?.books ?? []).map((book) => ({
        book: book.symbol,
        core: metadata.name,
        state: book.state,
        ageMs: book.ageMs,
        gaps: book.gaps,
        bid: book.bestBid,
        ask: book.bestAsk,
      })),
    ),
    strategies: observed.strategies.map(({ metadata, spec, status }) => ({
      strategy: metadata.name,
      mode: spec.mode,
      state: status?.summary?.state ?? 'Pending',
      position: status?.summary?.position,
      open: status?.summary?.openOrders,
      orders: status?.summary?.acceptedOrders,
      fills: status?.summary?.fills,
      rejects: status?.summary?.rejects,
      realised: status?.summary?.realisedPnl,
    })),
    halts: observed.halts.map(({ metadata, spec, status }) => ({
      halt: metadata.name,
      action: spec.action,
      reason: spec.reason,
      reached: (status?.reached ?? []).map(({ core }) => core).join(' '),
    })),
    lastRejects: observed.instances.flatMap(({ spec, status }) =>
      status?.lastReject ? [{ strategy: spec.strategyRef.name, lastReject: status.lastReject }] : [],
    ),
  };
}

function coreProblems(core: ExecutionCore): string[] {
  const { metadata, status } = core;
  const what = `core ${metadata.name}`;
  const books = (status?.books ?? []).filter(({ state }) => state !== 'CERTIFIED');
  return [
    ...stated(what, core, 'Accepted'),
    ...wrong(what, core, 'Ready'),
    ...wrong(what, core, 'AgentConnected'),
    ...books.map(({ symbol, state }) => `${what}: book ${symbol} is ${state}`),
  ];
}

/** The agent renews every `renewSeconds`; a lease that was missed three times is no longer looked after. */
function accountProblems(account: TradingAccount, leases: readonly Lease[], now: number): string[] {
  const { metadata, spec, status } = account;
  const what = `account ${metadata.name}`;
  const seconds = leaseAge(metadata.name, leases, now);
  const late = 3 * (spec.lease?.renewSeconds ?? 5);
  return [
    ...stated(what, account, 'Accepted'),
    ...(seconds === undefined
      ? [`${what}: no core has its lease`]
      : seconds > late
        ? [
            `${what}: its lease was renewed ${seconds} s ago, it should be every ${spec.lease?.renewSeconds ?? 5} s`,
          ]
        : []),
    ...(status?.ledgerEqualsVenue === false
      ? [`${what}: the ledger differs from the exchange: ${status.auditDifference ?? 'see its conditions'}`]
      : []),
  ];
}

function strategyProblems(strategy: TradingStrategy, observed: Observed): string[] {
  const { metadata, spec } = strategy;
  const what = `strategy ${metadata.name}`;
  const accepted = wrong(what, strategy, 'Accepted');
  if (accepted.length > 0 || spec.suspended) return accepted;
  const books = booksOf(spec.accountRef.name, observed);
  return [
    ...wrong(what, strategy, 'Ready'),
    ...spec.symbols
      .filter((symbol) => !books.has(symbol))
      .map((symbol) => `${what}: no core has told of a book of ${symbol} yet`),
  ];
}

/** The symbols that the core of an account keeps books of, in whatever state. */
function booksOf(account: string, { accounts, cores }: Observed): ReadonlySet<string> {
  const holder = accounts.find(({ metadata }) => metadata.name === account)?.status?.core;
  const core = cores.find(({ metadata }) => metadata.name === holder);
  return new Set(core?.status?.books?.map(({ symbol }) => symbol));
}

function leaseAge(account: string, leases: readonly Lease[], now: number): number | undefined {
  const lease = leases.find(({ metadata }) => metadata?.name === accountLeaseName(account));
  const { holderIdentity, renewTime } = lease?.spec ?? {};
  if (!holderIdentity || renewTime === undefined) return undefined;
  return Math.max(0, Math.round((now - Date.parse(renewTime)) / 1_000));
}

const tables = ['cores', 'accounts', 'books', 'strategies', 'halts', 'lastRejects'] as const;

export function renderHealth(health: Health): string {
  const lines = tables.flatMap((table) => {
    const rows = health[table];
    const heads = Object.keys(rows[0] ?? {});
    if (heads.length === 0) return [];
    const titles = heads.map((head) => head.replaceAll(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase());
    const cells = rows.map((row) => heads.map((head) => String(row[head] ?? '–')));
    return [...alignColumns([titles, ...cells]), ''];
  });
  const verdict = health.healthy
    ? ['healthy']
    : ['NOT HEALTHY', ...health.problems.map((problem) => `  ${problem}`)];
  return [...lines, ...verdict].join('\n');
}
