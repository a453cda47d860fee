// `npm run chaos`: see e2e/chaos/main.ts. The sources name each other by what they are built to; here they run as they
// are.
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
      return next(specifier.replace(/\.js$/, '.ts'), context);
    }
  },
});
await import('../e2e/chaos/main.ts');
