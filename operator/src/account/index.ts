// Accounts: whether they may trade, and what holds them and their keys while somebody does.

export { acceptAccount } from './accept.js';
export { accountController } from './controller.js';
export { planAccount } from './plan.js';
export { secretOf, type Twin, twinFacts, twinOf, twinProblem } from './twin.js';
