/**
 * Channels and their newest vouchers. A stored voucher never decreases, whatever is asked: the guard is in the SQL.
 * An entry with an older voucher is normal, not an error: a change of phase may be written while a newer voucher of the
 * same channel is already on its way to disk.
 */
import type { Database, Statement } from 'better-sqlite3';
import type { PaymentMode } from '../../../protocol/open-wire.ts';
import type { Channel, ChannelPhase } from '../../core/model.ts';
import { hexOf, oneOf, toBlob, toInteger, toOptionalBlob } from './columns.ts';
import { JournalError } from './journal-error.ts';
import type { TotalRows } from './total-rows.ts';

type ChannelRow = {
  readonly id: Uint8Array;
  readonly payer: Uint8Array;
  readonly signer: Uint8Array;
  readonly payee: Uint8Array;
  readonly device: Uint8Array;
  readonly expiry: bigint;
  readonly exit_delay: bigint;
  readonly salt: Uint8Array;
  readonly mode: string;
  readonly units_per_mb: bigint;
  readonly units_per_minute: bigint;
  readonly open_fee: bigint;
  readonly phase: string;
  readonly deposit: bigint;
  readonly open_tx: Uint8Array | null;
  readonly close_tx: Uint8Array | null;
  readonly close_units: bigint | null;
  readonly claimed_units: bigint | null;
  readonly gas_wei: bigint | null;
  readonly stale: bigint | null;
  readonly amount: bigint;
  readonly ack_bytes: bigint;
  readonly voucher_signature: Uint8Array;
};

const MODES = Object.keys({ hold: true, stream: true } satisfies Record<PaymentMode, true>) as PaymentMode[];
const PHASES = Object.keys({
  pending: true,
  active: true,
  grace: true,
  closing: true,
  away: true,
  settled: true,
  failed: true,
} satisfies Record<ChannelPhase, true>) as ChannelPhase[];

export class ChannelRows {
  readonly #upsertChannel: Statement;
  readonly #upsertVoucher: Statement;
  readonly #updateVoucher: Statement;
  readonly #rowOf: Statement;
  readonly #all: Statement;
  readonly #deleteVoucher: Statement;
  readonly #deleteChannel: Statement;
  readonly #totals: TotalRows;

  constructor(database: Database, totals: TotalRows) {
    this.#totals = totals;
    this.#deleteVoucher = database.prepare('DELETE FROM vouchers WHERE channel = ?');
    this.#deleteChannel = database.prepare('DELETE FROM channels WHERE row = ?');
    // The WHERE leaves the page untouched when only the voucher is new.
    this.#upsertChannel = database.prepare(`
      INSERT INTO channels (id, payer, signer, payee, device, expiry, exit_delay, salt, mode, units_per_mb,
        units_per_minute, open_fee, phase, deposit, open_tx, close_tx, close_units, claimed_units, gas_wei, stale)
      VALUES (@id, @payer, @signer, @payee, @device, @expiry, @exitDelay, @salt, @mode, @unitsPerMb,
        @unitsPerMinute, @openFee, @phase, @deposit, @openTx, @closeTx, @closeUnits,
        @claimedUnits, @gasWei, @stale)
      ON CONFLICT (id) DO UPDATE SET mode = excluded.mode, units_per_mb = excluded.units_per_mb,
        units_per_minute = excluded.units_per_minute, open_fee = excluded.open_fee, phase = excluded.phase,
        deposit = excluded.deposit, open_tx = excluded.open_tx, close_tx = excluded.close_tx,
        close_units = excluded.close_units, claimed_units = excluded.claimed_units, gas_wei = excluded.gas_wei,
        stale = coalesce(excluded.stale, stale)
      WHERE (mode, units_per_mb, units_per_minute, open_fee, phase, deposit, open_tx, close_tx, close_units,
        claimed_units, gas_wei, coalesce(stale, 0))
        IS NOT (excluded.mode, excluded.units_per_mb, excluded.units_per_minute, excluded.open_fee, excluded.phase,
          excluded.deposit, excluded.open_tx, excluded.close_tx, excluded.close_units, excluded.claimed_units,
          excluded.gas_wei, coalesce(excluded.stale, stale, 0))`);
    this.#rowOf = database.prepare('SELECT row FROM channels WHERE id = ?').pluck();
    this.#upsertVoucher = database.prepare(`
      INSERT INTO vouchers (channel, amount, ack_bytes, signature) VALUES (@row, @amount, @ackBytes, @signature)
      ON CONFLICT (channel) DO UPDATE SET amount = excluded.amount, ack_bytes = excluded.ack_bytes,
        signature = excluded.signature
      WHERE excluded.amount > vouchers.amount`);
    this.#updateVoucher = database.prepare(`
      UPDATE vouchers SET amount = @amount, ack_bytes = @ackBytes, signature = @signature
      WHERE amount < @amount
        AND channel = (SELECT row FROM channels WHERE id = @id AND phase = 'active' AND deposit >= @amount)`);
    this.#all = database.prepare(`
      SELECT c.*, v.amount, v.ack_bytes, v.signature AS voucher_signature
      FROM channels c JOIN vouchers v ON v.channel = c.row ORDER BY c.row`);
  }

  /**
   * Stores the voucher of an active channel by one statement; false, and nothing done, if the stored channel is not active,
   * its deposit does not cover the voucher, or the stored voucher is not below it: then store() must see to it.
   */
  storeVoucher({ id, voucher }: Channel): boolean {
    if (voucher.channelId !== id) return false;
    const { changes } = this.#updateVoucher.run({
      id: toBlob(id, 32, 'channel id'),
      amount: toInteger(voucher.amount, 'voucher amount'),
      ackBytes: toInteger(voucher.ackBytes, 'acknowledged bytes'),
      signature: toBlob(voucher.signature, 64, 'voucher signature'),
    });
    return changes === 1;
  }

  store(channel: Channel): void {
    const { id, config, tariff, voucher } = channel;
    if (voucher.channelId !== id) {
      throw new JournalError('JOURNAL_REFUSED', `channel ${id} carries a voucher of channel ${voucher.channelId}`);
    }
    assertCovered(channel);
    const idBlob = toBlob(id, 32, 'channel id');
    this.#upsertChannel.run({
      id: idBlob,
      payer: toBlob(config.payer, 20, 'payer'),
      signer: toBlob(config.signer, 20, 'signer'),
      payee: toBlob(config.payee, 20, 'payee'),
      device: toBlob(config.device, 20, 'device'),
      expiry: toInteger(config.expiry, 'expiry'),
      exitDelay: toInteger(config.exitDelay, 'exit delay'),
      salt: toBlob(config.salt, 32, 'salt'),
      mode: channel.mode,
      unitsPerMb: toInteger(tariff.unitsPerMb, 'units per MB'),
      unitsPerMinute: toInteger(tariff.unitsPerMinute, 'units per minute'),
      openFee: toInteger(channel.openFee, 'open fee'),
      phase: channel.phase,
      deposit: toInteger(channel.deposit, 'deposit'),
      openTx: toOptionalBlob(channel.openTx, 32, 'open transaction'),
      closeTx: toOptionalBlob(channel.closeTx, 32, 'close transaction'),
      closeUnits: channel.closeUnits === undefined ? null : toInteger(channel.closeUnits, 'final claim'),
      claimedUnits: channel.claimedUnits === undefined ? null : toInteger(channel.claimedUnits, 'claimed units'),
      gasWei: channel.gasWei === undefined ? null : toInteger(channel.gasWei, 'gas'),
      stale: channel.isStale === true ? 1n : null,
    });
    this.#upsertVoucher.run({
      row: this.#rowOf.get(idBlob),
      amount: toInteger(voucher.amount, 'voucher amount'),
      ackBytes: toInteger(voucher.ackBytes, 'acknowledged bytes'),
      signature: toBlob(voucher.signature, 64, 'voucher signature'),
    });
  }

  /** Once: what was forgotten already adds nothing to the totals. */
  forget({ id, phase, closeUnits }: Channel): void {
    const row = this.#rowOf.get(toBlob(id, 32, 'channel id'));
    if (row === undefined) return;
    this.#deleteVoucher.run(row);
    this.#deleteChannel.run(row);
    if (phase !== 'settled') return;
    this.#totals.add('settled-channels', 1n);
    this.#totals.add('settled-units', closeUnits ?? 0n);
  }

  /** All channels, in the order in which they were first stored. @throws JournalError JOURNAL_CORRUPT */
  all(): readonly Channel[] {
    return (this.#all.all() as ChannelRow[]).map(channelFromRow);
  }
}

/**
 * Stored channels as they may go on: one that serves with a voucher above its deposit waits for the chain's word as one that
 * was rolled back does, and gives no credit. That is no reason to do without what all the others have paid.
 */
export function withUncoveredHeld(stored: readonly Channel[]): {
  readonly channels: readonly Channel[];
  readonly uncovered: readonly Channel[];
} {
  const uncovered = stored.filter((channel) => SERVING.has(channel.phase) && !isCovered(channel));
  const channels = stored.map((channel) =>
    uncovered.includes(channel) ? { ...channel, phase: 'pending' as const } : channel,
  );
  return { channels, uncovered };
}

const SERVING: ReadonlySet<ChannelPhase> = new Set(['active', 'grace']);

/** Invariant I2. A pending channel's deposit is not known yet, and a failed one's never was. */
function isCovered({ phase, voucher, deposit }: Channel): boolean {
  return phase === 'pending' || phase === 'failed' || voucher.amount <= deposit;
}

function assertCovered(channel: Channel): void {
  if (isCovered(channel)) return;
  throw new JournalError(
    'JOURNAL_REFUSED',
    `channel ${channel.id} (${channel.phase}) has a voucher of ${channel.voucher.amount}, ` +
      `which is above its deposit of ${channel.deposit}`,
  );
}

function channelFromRow(row: ChannelRow): Channel {
  const id = hexOf(row.id);
  return {
    id,
    config: {
      payer: hexOf(row.payer),
      signer: hexOf(row.signer),
      payee: hexOf(row.payee),
      device: hexOf(row.device),
      expiry: row.expiry,
      exitDelay: row.exit_delay,
      salt: hexOf(row.salt),
    },
    mode: oneOf(MODES, row.mode, `mode of channel ${id}`),
    tariff: { unitsPerMb: row.units_per_mb, unitsPerMinute: row.units_per_minute },
    openFee: row.open_fee,
    phase: oneOf(PHASES, row.phase, `phase of channel ${id}`),
    deposit: row.deposit,
    voucher: {
      channelId: id,
      amount: row.amount,
      ackBytes: row.ack_bytes,
      signature: hexOf(row.voucher_signature),
    },
    ...(row.open_tx === null ? {} : { openTx: hexOf(row.open_tx) }),
    ...(row.close_tx === null ? {} : { closeTx: hexOf(row.close_tx) }),
    ...(row.close_units === null ? {} : { closeUnits: row.close_units }),
    ...(row.claimed_units === null ? {} : { claimedUnits: row.claimed_units }),
    ...(row.gas_wei === null ? {} : { gasWei: row.gas_wei }),
    ...(row.stale === null ? {} : { isStale: true as const }),
  };
}
