// `node scripts/kubernetes/build.ts [PROGRAM…]`: builds Kubernetes' programs (all without arguments), prints where.
import { buildBinaries, PROGRAMS, type Program } from './binaries.ts';

const asked = process.argv.slice(2);
const unknown = asked.find((name) => !PROGRAMS.includes(name as Program));
if (unknown !== undefined) {
  process.stderr.write(`unknown program "${unknown}": there are ${PROGRAMS.join(', ')}\n`);
  process.exit(2);
}
const paths = buildBinaries(asked.length === 0 ? PROGRAMS : (asked as Program[]));
for (const path of Object.values(paths)) process.stdout.write(`${path}\n`);
