import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { FlashpodError } from '../errors.js';
import { UsageError } from './usage.js';

/** A Kubernetes object as a manifest gives it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: {
    name: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

/** A manifest larger than this is refused before it is parsed. */
const maxBytes = 1 << 20;

function complaint(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object';
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  if (typeof apiVersion !== 'string') return 'has no apiVersion';
  if (typeof kind !== 'string') return 'has no kind';
  if (typeof metadata?.name !== 'string') return 'has no metadata.name';
  return undefined;
}

/** Reads every object of a YAML or JSON text; `source` names it in errors. */
export function parseManifests(text: string, source: string): Manifest[] {
  return parseAllDocuments(text, { maxAliasCount: 100 } as never).flatMap((document, index) => {
    const place = `${source}: document ${index + 1}`;
    const [error] = document.errors;
    if (error) throw new FlashpodError('cli.manifest', `${place} is not YAML: ${error.message}`);
    const value = document.toJS({ maxAliasCount: 100 }) as unknown;
    if (value === null) return [];
    const wrong = complaint(value);
    if (wrong) throw new FlashpodError('cli.manifest', `${place} ${wrong}; a Kubernetes object is expected`);
    return [value as Manifest];
  });
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new UsageError('-f', file, 'a manifest file that exists, or - for standard input');
    if (code === 'EISDIR') throw new UsageError('-f', file, 'a file; repeat -f for several');
    throw new UsageError('-f', file, `a manifest file that can be read (${code})`);
  }
}

/** Reads the manifests of a file, or of standard input for `-`. */
export function readManifests(file: string): Manifest[] {
  const text = contentOf(file);
  if (text.length > maxBytes) throw new UsageError('-f', file, `a manifest of at most ${maxBytes} bytes`);
  const manifests = parseManifests(text.toString('utf8'), file);
  if (manifests.length === 0) throw new FlashpodError('cli.manifest', `${file} holds no object`);
  return manifests;
}
