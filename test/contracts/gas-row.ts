/** What one operation costs as a whole transaction. */
export type GasRow = { readonly operation: string; readonly gas: number };
