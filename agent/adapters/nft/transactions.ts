/** The transactions that make a difference so. Pure. */
import { isCounterSet } from './layout.ts';
import type { NftCommand } from './nft-json.ts';
import type { PlanDiff } from './plan-diff.ts';
import {
  addElementCommands,
  counterKeyFromElement,
  deleteElementCommands,
  deleteObjectCommand,
  type Element,
  quotaCommand,
  rateCommand,
} from './render-grant.ts';
import type { UsageBook } from './usage-book.ts';

/** What was found besides sessions and has to go, and what has to come first. */
export type Leftovers = {
  readonly install: readonly NftCommand[];
  readonly strayElements: readonly Element[];
  readonly strayQuotas: readonly string[];
  readonly strayRates: readonly string[];
};

export const NO_LEFTOVERS: Leftovers = { install: [], strayElements: [], strayQuotas: [], strayRates: [] };

/** Elements in one transaction; 10,000 make about 1 MB of netlink messages. */
const MAX_ELEMENTS_PER_TRANSACTION = 10_000;

/** Takes out what lets packets through and is to go. After it the counters that go are final. */
export function stopTransaction(diff: PlanDiff, leftovers: Leftovers): NftCommand[] {
  return deleteElementCommands([...leftovers.strayElements, ...diff.stop]);
}

/** Everything else; one transaction unless there is very much. `book` must know the counters' final values. */
export function changeTransactions(diff: PlanDiff, leftovers: Leftovers, book: UsageBook): NftCommand[][] {
  const before: NftCommand[] = [
    ...leftovers.install,
    ...deleteElementCommands(diff.remove),
    ...[...diff.newRates].map(([name, rate]) => rateCommand(name, rate)),
    ...[...diff.newQuotas, ...diff.changedQuotas].map(({ grant, round }) =>
      quotaCommand(grant.sessionId, round, grant.limitBytes, book.usedBytes(grant)),
    ),
  ];
  const slices = addedInSlices(diff, book);
  const after: NftCommand[] = [
    ...[...leftovers.strayQuotas, ...diff.oldQuotas].map((name) => deleteObjectCommand('quota', name)),
    ...[...leftovers.strayRates, ...diff.oldRates].map((name) => deleteObjectCommand('limit', name)),
  ];
  if (slices.length <= 1) return [[...before, ...(slices[0] ?? []), ...after]];
  return [before, ...slices, after];
}

/** Counters first: who is known is held, not reset, while the rest is still to come. */
function addedInSlices(diff: PlanDiff, book: UsageBook): NftCommand[][] {
  const rank = ({ element }: (typeof diff.add)[number]): number => (isCounterSet(element.set) ? 0 : 1);
  const added = diff.add.toSorted((a, b) => rank(a) - rank(b));
  const grantOf = new Map(added.map(({ element, grant }) => [element, grant]));
  const slices: NftCommand[][] = [];
  for (let from = 0; from < added.length; from += MAX_ELEMENTS_PER_TRANSACTION) {
    const elements = added.slice(from, from + MAX_ELEMENTS_PER_TRANSACTION).map(({ element }) => element);
    slices.push(
      addElementCommands(elements, (element) => {
        const key = counterKeyFromElement(element.set, element.key);
        const grant = grantOf.get(element);
        return key === undefined || grant === undefined ? undefined : book.baseOf(grant, key);
      }),
    );
  }
  return slices;
}
