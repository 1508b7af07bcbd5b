/**
 * hostapd's byte counters and rates from a get_clients reply. The block is absent when the driver gives no data; packets are
 * u32 sent as INT32; rates are kbit/s in 22.03 and 100 times too large since 23.05, which first has the flag `mbo`.
 */
import type { BlobmsgTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { DeviceName } from '../../core/model.ts';
import { parseMac } from '../../core/names.ts';
import type { AirReading } from '../../ports.ts';
import { MAX_STATIONS_PER_BSS } from './hostapd-clients.ts';

/** Readings of the authorised stations that have counters. */
export function airReadings(reply: BlobmsgTable | undefined, port: DeviceName): readonly AirReading[] {
  const clients = tableOf(reply?.['clients']);
  const readings: AirReading[] = [];
  for (const [address, value] of Object.entries(clients ?? {})) {
    if (readings.length >= MAX_STATIONS_PER_BSS) break;
    const mac = parseMac(address);
    const client = tableOf(value);
    const bytes = tableOf(client?.['bytes']);
    const packets = tableOf(client?.['packets']);
    const rx = bytes?.['rx'];
    const tx = bytes?.['tx'];
    if (mac === undefined || client?.['authorized'] !== true || !isCounter(rx) || !isCounter(tx)) continue;
    const rate = tableOf(client['rate']);
    const isHundredfold = 'mbo' in client;
    const signal = client['signal'];
    readings.push({
      mac,
      port,
      upBytes: rx,
      downBytes: tx,
      packets: unsigned(packets?.['rx']) + unsigned(packets?.['tx']),
      // A driver without a signal says 0.
      ...(typeof signal === 'number' && signal < 0 ? { signalDbm: signal } : {}),
      ...rateOf('rateUpKbit', rate?.['rx'], isHundredfold),
      ...rateOf('rateDownKbit', rate?.['tx'], isHundredfold),
    });
  }
  return readings;
}

function rateOf<Name extends string>(name: Name, value: unknown, isHundredfold: boolean): { [N in Name]?: number } {
  const rate = unsigned(value);
  if (rate === 0) return {};
  return { [name]: Math.round(isHundredfold ? rate / 100 : rate) } as { [N in Name]: number };
}

function unsigned(value: unknown): number {
  return typeof value === 'number' ? value >>> 0 : 0;
}

function isCounter(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n;
}

function tableOf(value: unknown): BlobmsgTable | undefined {
  const isTable = value !== null && typeof value === 'object' && !Array.isArray(value);
  return isTable ? (value as BlobmsgTable) : undefined;
}
