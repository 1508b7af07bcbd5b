/** The terms of a channel in JSON that others sent: in a guest's open request, and in what routers of one owner hand over. */
import * as v from 'valibot';
import type { ChannelConfig } from './channel.ts';
import { addressSchema, bytes32Schema, uint40Schema } from './schema.ts';

export const channelConfigSchema = v.strictObject({
  payer: addressSchema,
  signer: addressSchema,
  payee: addressSchema,
  device: addressSchema,
  expiry: uint40Schema,
  exitDelay: uint40Schema,
  salt: bytes32Schema,
}) satisfies v.GenericSchema<unknown, ChannelConfig>;
