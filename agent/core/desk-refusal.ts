/** Why the desk refuses a guest: what the judgements say, and what only the desk can find out. */
import type { SignedVoucher } from '../../protocol/voucher.ts';
import type { AttachRefusal } from './judge-attach.ts';
import type { OpenRefusal } from './judge-open.ts';
import type { PauseRefusal } from './judge-pause.ts';
import type { TickRefusal } from './judge-tick.ts';
import type { TrialRefusal } from './judge-trial.ts';
import type { VoucherRefusal } from './judge-voucher.ts';
import type { Refused } from './refusal.ts';

type Judged = AttachRefusal | OpenRefusal | PauseRefusal | TickRefusal | TrialRefusal | VoucherRefusal;

/** By a signature or a challenge, by the chain, or by what the router itself could not do. */
type FoundByDesk =
  | 'bad-signature'
  | 'bad-challenge'
  | 'chain-unreachable'
  | 'chain-refused'
  | 'not-checked'
  | 'storage-failed';

export type DeskRefusal = Refused<Judged | FoundByDesk> & {
  /** On a payment that does not go on from the last: the last voucher accepted, so that the guest can. */
  readonly lastVoucher?: SignedVoucher;
};
