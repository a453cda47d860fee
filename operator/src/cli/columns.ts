import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crdDirectory, kinds } from '@flashpod/crds';
import { parse } from 'yaml';

/** A column of `flashpod get`, as the CustomResourceDefinition declares it. */
export interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: string;
  readonly priority?: number;
}

interface Definition {
  spec: { versions: { name: string; additionalPrinterColumns?: Column[] }[] };
}

/** The printer columns of a kind, without those that only wide output shows. */
export function columnsOf(kind: keyof typeof kinds): Column[] {
  const { plural, version } = kinds[kind];
  const definition = parse(readFileSync(join(crdDirectory, `${plural}.yaml`), 'utf8')) as Definition;
  const columns =
    definition.spec.versions.find(({ name }) => name === version)?.additionalPrinterColumns ?? [];
  return columns.filter(({ priority = 0 }) => priority === 0);
}

/** One step of a JSONPath: a field, an index, or a filter on one field. */
const step = /\.([A-Za-z0-9_-]+)|\[(\d+|\*)\]|\[\?\(@\.([A-Za-z0-9_]+)==["']([^"']*)["']\)\]/g;

/** Evaluates the part of JSONPath that printer columns use. */
export function evaluate(path: string, object: unknown): unknown {
  let values: unknown[] = [object];
  for (const [, field, index, key, wanted] of path.matchAll(step)) {
    values = values.flatMap((value) => {
      if (field !== undefined) return [(value as Record<string, unknown> | undefined)?.[field]];
      const items = Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
      if (index === '*') return items;
      return index === undefined
        ? items.filter((item) => item[key ?? ''] === wanted)
        : [items[Number(index)]];
    });
  }
  const found = values.filter((value) => value !== undefined && value !== null);
  return found.length > 1 ? found.join(',') : found[0];
}

/** Time since a moment, as kubectl shows ages: 45s, 12m, 3h5m, 2d. */
export function age(since: string | undefined, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(since ?? '')) / 1_000));
  if (!Number.isFinite(seconds)) return '<unknown>';
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h${Math.floor((seconds % 3_600) / 60)}m`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** The text of one cell. */
export function cell(column: Column, object: unknown, now: number): string {
  const value = evaluate(column.jsonPath, object);
  if (value === undefined) return '';
  return column.type === 'date' ? age(String(value), now) : String(value);
}

/** Lines of a table with columns as wide as their content. */
export function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
