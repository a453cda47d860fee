// Which versions are measured, and which newer ones there are.

export const pinned = {
  pypi: { hftbacktest: '2.4.4', nautilus_trader: '1.221.0' },
  crates: { hftbacktest: '0.9.4', 'nautilus-model': '0.57.0' },
  npm: ['ccxt', 'protobufjs'],
} as const;

type Run = (command: string, args: string[]) => string;

/** The newest that a registry names; unknown when it can't be asked. */
function ask(run: Run, command: string, args: string[], pattern: RegExp): string | undefined {
  try {
    return pattern.exec(run(command, args))?.[1];
  } catch {
    return undefined;
  }
}

const told = (measured: string, newest: string | undefined, why: string): string => {
  if (newest === undefined) return `${measured}; the registry does not say which is the newest`;
  return newest === measured ? `${measured}, the newest` : `${measured}; newest ${newest}${why}`;
};

/** A line for each peer: what is measured, and what there is beyond it. */
export function newest(run: Run, python: string): Record<string, string> {
  const lines: Record<string, string> = {};
  lines['Python'] = run(python, ['--version']).trim().replace('Python ', '');
  for (const [name, version] of Object.entries(pinned.pypi)) {
    const index = ['-m', 'pip', 'index', 'versions', name, '--disable-pip-version-check'];
    const here = ask(run, python, index, /\(([^)]+)\)/);
    const anywhere = ask(run, python, [...index, '--ignore-requires-python'], /\(([^)]+)\)/);
    const why = anywhere !== here ? `, which does not run on this Python (newest that does: ${here})` : '';
    lines[`${name} (PyPI)`] = told(version, anywhere, why);
  }
  for (const [name, version] of Object.entries(pinned.crates)) {
    const found = ask(run, 'cargo', ['info', '--quiet', name], /^version: (\S+)/m);
    lines[`${name} (crates.io)`] = told(version, found, '');
  }
  for (const name of pinned.npm) {
    const installed = ask(run, 'npm', ['ls', name, '--depth=0'], new RegExp(`${name}@(\\S+)`)) ?? 'unknown';
    lines[`${name} (npm)`] = told(installed, ask(run, 'npm', ['view', name, 'version'], /(\S+)/), '');
  }
  return lines;
}
