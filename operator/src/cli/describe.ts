// One object with all that is known of it: conditions, positions, orders, events, and what to do next.

import type {
  Condition,
  Kind,
  LossStatus,
  PositionStatus,
  StrategyInstance,
  TradingStrategy,
} from '@flashpod/crds';
import { stringify } from 'yaml';
import { Events, type KubeClient, type KubeEvent, type KubeObject, type Stored } from '../kube/index.js';
import { whatToDo } from './advice.js';
import { age, alignColumns } from './columns.js';
import { resourceOf } from './kinds.js';

export interface Described {
  readonly object: Stored<KubeObject>;
  /** Of a strategy: the instance that runs. */
  readonly instance: Stored<StrategyInstance> | undefined;
  /** Oldest first, of the object and of its instance. */
  readonly events: readonly KubeEvent[];
  readonly next: readonly string[];
}

const shownEvents = 20;
const timeOf = ({ series, eventTime, metadata }: KubeEvent): string =>
  series?.lastObservedTime ?? eventTime ?? metadata?.creationTimestamp ?? '';

export async function describeObject(
  client: KubeClient,
  kind: Kind,
  namespace: string,
  name: string,
): Promise<Described> {
  const object: Stored<KubeObject> = await client.of<KubeObject>(resourceOf(kind)).get({ namespace, name });
  const running = kind === 'TradingStrategy' ? (object as TradingStrategy).status?.instance : undefined;
  const instance =
    running === undefined
      ? undefined
      : await client.of(resourceOf('StrategyInstance')).find({ namespace, name: running });
  const { items } = await client.of(Events).list({ namespace });
  // A name is one of its kind only: account and strategy may share it.
  const isOfObject = ({ regarding }: KubeEvent) => regarding?.kind === kind && regarding.name === name;
  // The pod has the name of its instance.
  const isOfInstance = ({ regarding }: KubeEvent) =>
    running !== undefined &&
    regarding?.name === running &&
    ['StrategyInstance', 'Pod'].includes(regarding.kind ?? '');
  const events = items
    .filter((event) => isOfObject(event) || isOfInstance(event))
    .sort((a, b) => timeOf(a).localeCompare(timeOf(b)))
    .slice(-shownEvents);
  return { object, instance, events, next: whatToDo(conditionsOf(object)) };
}

const conditionsOf = (object: KubeObject): Condition[] =>
  (object as { status?: { conditions?: Condition[] } }).status?.conditions ?? [];

export function renderDescription({ object, instance, events, next }: Described, now: number): string {
  const { kind, metadata } = object;
  const { spec, status = {} } = object as { spec?: object; status?: Record<string, unknown> };
  const { conditions: _, positions: ofObject, summary, symbols, balances, ...rest } = status;
  const positions = (instance?.status?.positions ?? ofObject ?? []) as PositionStatus[];
  const shown = { ...rest, ...(balances === undefined ? {} : { balances }) };
  return [
    `${kind} ${metadata.namespace}/${metadata.name}, ${age(metadata.creationTimestamp, now)} old`,
    ...(metadata.deletionTimestamp === undefined
      ? []
      : [`being deleted since ${metadata.deletionTimestamp}`]),
    ...section('Spec', yaml(spec)),
    ...section('Conditions', table(['', 'STATUS', 'REASON', 'SINCE', 'MESSAGE'], conditionRows(object, now))),
    ...section('Positions', table(positionHeads, positions.map(positionRow))),
    ...section('Orders', instance === undefined ? [] : orderLines(instance)),
    ...section('Losses', (instance?.status?.losses ?? []).map(lossLine)),
    ...section('Fills', instance === undefined ? [] : markOutLines(instance)),
    ...section('Pairs', Array.isArray(symbols) ? [shorten(symbols as string[])] : []),
    ...section('Status', yaml(shown)),
    ...section(
      'Events',
      table(
        ['AGE', 'TYPE', 'REASON', 'NOTE'],
        events.map((event) => eventRow(event, now)),
      ),
    ),
    ...section(
      'What to do',
      next.length > 0 ? [...next] : conditionsOf(object).length > 0 ? ['nothing'] : [],
    ),
  ].join('\n');
}

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`)];

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : alignColumns([heads, ...rows]);
}

function yaml(value: object | undefined): string[] {
  if (value === undefined || Object.keys(value).length === 0) return [];
  return stringify(value, { flowCollectionPadding: false }).trimEnd().split('\n');
}

function conditionRows(object: KubeObject, now: number): string[][] {
  return conditionsOf(object).map(({ type, status, reason, lastTransitionTime, message }) => [
    type,
    status,
    reason,
    age(lastTransitionTime, now),
    message,
  ]);
}

const positionHeads = ['PAIR', 'QUANTITY', 'COST', 'MARK', 'OPEN', 'REALISED', 'UNREALISED', 'FEES'];
const positionRow = (position: PositionStatus): string[] => [
  position.symbol,
  position.quantity,
  position.averageCost ?? '',
  position.markPrice ?? '',
  String(position.openOrders),
  position.realisedPnl ?? '',
  position.unrealisedPnl ?? '',
  position.fees ?? '',
];

function orderLines({ status = { state: 'Halted' } }: StrategyInstance): string[] {
  const {
    acceptedOrders = 0,
    fills = 0,
    venueRejects = 0,
    riskRejects = 0,
    lastReject,
    capitalError,
  } = status;
  return [
    `${acceptedOrders} accepted, ${fills} fills, ${riskRejects} refused by the core, ${venueRejects} by the exchange`,
    ...(lastReject ? [`last refusal: ${lastReject}`] : []),
    ...(capitalError ? [`capital: ${capitalError}`] : []),
  ];
}

/** What loss limits look at, and what they did. */
function lossLine({ quoteAsset, dayLoss, drawdown, reached, reset, resetAt }: LossStatus): string {
  return [
    `${dayLoss ?? '?'} ${quoteAsset} since 00:00 UTC, ${drawdown ?? '?'} from the peak`,
    ...(reached === undefined
      ? []
      : [`stopped by ${reached.rule} at ${reached.at}: ${reached.lost} of ${reached.limit}`]),
    ...(reset === undefined ? [] : [`reset ${reset} carried out at ${resetAt}`]),
  ].join('; ');
}

/** Where the market was some time after fills. */
function markOutLines({ status }: StrategyInstance): string[] {
  return (status?.figures ?? []).flatMap(({ symbol, markOuts = [] }) => {
    const told = markOuts.flatMap(({ afterMs, fills, bps }) =>
      bps === undefined ? [] : [`${bps.toFixed(2)} bps ${afterMs / 1_000} s after ${fills} fills`],
    );
    return told.length === 0 ? [] : [`${symbol}: the market moved ${told.join(', ')}`];
  });
}

function eventRow(event: KubeEvent, now: number): string[] {
  const times = event.series?.count ? ` (${event.series.count} times)` : '';
  return [age(timeOf(event), now), event.type ?? '', event.reason ?? '', `${event.note ?? ''}${times}`];
}

const mostPairs = 20;
const shorten = (pairs: readonly string[]): string =>
  pairs.length > mostPairs
    ? `${pairs.slice(0, mostPairs).join(', ')} … (${pairs.length} in all)`
    : pairs.join(', ');
