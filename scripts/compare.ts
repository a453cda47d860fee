// `npm run compare`: see e2e/compare/main.ts.
import './sources.ts';

await import('../e2e/compare/main.ts');
