// `npm run test:faults`: builds the core that can be held on an order's way, then see e2e/faults/main.ts.
import { spawnSync } from 'node:child_process';
import { cargoManifest, root } from './parts.ts';
import './sources.ts';

// Beside the release binaries, whose dependencies it shares; a folder of somebody else's has it already.
if (!process.env['FLASHPOD_BIN_DIR']) {
  const what = ['-p', 'flashpod-core', '--features', 'failpoints', '--bin', 'flashpod-core-failpoints'];
  const args = ['build', '--release', '--locked', '--quiet', ...cargoManifest, ...what];
  const { status } = spawnSync('cargo', args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) {
    process.stderr.write('flashpod: the core with failpoints could not be built\n');
    process.exit(1);
  }
}
await import('../e2e/faults/main.ts');
