// The budget is a part of the model, because the configuration derives a policy's level from it.
export {
  allocateBudget,
  type Budget,
  type BudgetDesign,
  type BudgetedKind,
  budgetShares,
  maximumModelRisk,
} from '../model/budget.ts';
