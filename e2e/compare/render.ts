import { alignColumns } from '../../operator/src/cli/columns.ts';
import type { Comparison, Figures } from './run.ts';

const money = (amount: number): string => amount.toFixed(2);

function row(name: string, mode: string, { orders, fills, rejects, fees, trading }: Figures): string[] {
  return [name, mode, String(orders), String(fills), String(rejects), money(fees), money(trading)];
}

/** Fills for each order, and how far paper is from live in it. */
function difference({ name, live, paper }: Comparison['strategies'][number]): string {
  const rate = ({ orders, fills }: Figures) => (orders === 0 ? 0 : fills / orders);
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  return (
    `${name}: fills per order ${percent(rate(live))} live, ${percent(rate(paper))} on paper; ` +
    `trading ${money(paper.trading - live.trading)} more on paper`
  );
}

/** The comparison for a terminal. Why the two differ is in docs/paper.md. */
export function render({ seconds, strategies, replay, ...ledger }: Comparison): string[] {
  const head = ['STRATEGY', 'MODE', 'ORDERS', 'FILLS', 'REJECTS', 'FEES', 'TRADING'];
  const rows = strategies.flatMap(({ name, live, paper }) => [
    row(name, 'Live', live),
    row(name, 'Paper', paper),
  ]);
  const { ledgerEqualsVenue, ordersCompared, fillsCompared } = ledger;
  return [
    `${seconds} s of one market, both modes at once:`,
    '',
    ...alignColumns([head, ...rows]),
    '',
    ...strategies.map(difference),
    `live: the ledger ${ledgerEqualsVenue ? 'equals' : 'DIFFERS FROM'} the exchange's books, ${ordersCompared} orders and ${fillsCompared} fills compared`,
    `replay of the journal: ${replay.equal ? 'equal' : 'DIFFERENT'}, ${replay.inputs} inputs, ${replay.actions} actions, ${replay.requests} requests`,
    'why they differ: docs/paper.md',
  ];
}
