// Accounts: what holds them and their keys while somebody trades on them.

export { accountController } from './controller.js';
export { planAccount } from './plan.js';
