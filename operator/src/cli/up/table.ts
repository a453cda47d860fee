import type { StrategyFigures } from './figures.js';

const headings = [
  'strategy',
  'symbol',
  'environment',
  'mode',
  'state',
  'position',
  'open',
  'realised',
  'unrealised',
  'orders',
  'fills',
  'rejects',
  'tick-to-order p50 / p99',
  'book',
];
const leftAligned = new Set(['strategy', 'symbol', 'environment', 'mode', 'state', 'book']);

function money(text: string): string {
  return Number(text).toFixed(2);
}

function micros(value: number | undefined): string {
  if (value === undefined) return '–';
  return value < 1_000 ? `${value.toFixed(0)} µs` : `${(value / 1_000).toFixed(1)} ms`;
}

function cells(row: StrategyFigures): string[] {
  return [
    row.name,
    row.symbol,
    row.environment,
    row.mode,
    row.state,
    row.position,
    String(row.openOrders),
    money(row.realisedPnl),
    money(row.unrealisedPnl),
    String(row.acceptedOrders),
    String(row.fills),
    String(row.rejects),
    `${micros(row.tickToOrderP50Us)} / ${micros(row.tickToOrderP99Us)}`,
    row.book,
  ];
}

/** The table of strategies as lines of text, columns as wide as their content. */
export function renderTable(rows: readonly StrategyFigures[]): string[] {
  const lines = [headings, ...rows.map((row) => cells(row))];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((text, column) => {
        const width = widths[column] ?? 0;
        return leftAligned.has(headings[column] ?? '') ? text.padEnd(width) : text.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
