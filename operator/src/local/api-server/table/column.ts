import type { Json } from '../json.js';
import type { ApiObject } from '../kinds/kind.js';

/** One column of a table. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly description: string;
  /** Above 0: shown with -o wide only. */
  readonly priority: number;
  cell(object: ApiObject, now: number): Json;
}

type Cell = Column['cell'];

export function column(name: string, cell: Cell, more: Partial<Omit<Column, 'name' | 'cell'>> = {}): Column {
  return { name, type: 'string', format: '', description: '', priority: 0, ...more, cell };
}

export const wide = (name: string, cell: Cell): Column => column(name, cell, { priority: 1 });
