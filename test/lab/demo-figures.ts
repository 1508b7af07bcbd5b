/** What the demo measures on its way, for the line of JSON at its end. */
export type Figures = {
  /** Bytes that the phone's vouchers bought. */
  phonePaidBytes: bigint;
  wireBytes: bigint;
  meteredBytes: bigint;
  paidBytes: bigint;
  overshootBytes: bigint;
  refundUnits: bigint;
  vouchers: number;
  proofsAccepted: number;
};

export function emptyFigures(): Figures {
  return {
    phonePaidBytes: 0n,
    wireBytes: 0n,
    meteredBytes: 0n,
    paidBytes: 0n,
    overshootBytes: 0n,
    refundUnits: 0n,
    vouchers: 0,
    proofsAccepted: 0,
  };
}
