/** A kernel as far as sessions need one: takes the commands of the adapter and refuses what the kernel would refuse. */
import { GRANT_SETS, type GrantSet } from '../../agent/adapters/nft/layout.ts';
import { isArray, isObject, type Json, type JsonObject, type NftCommand } from '../../agent/adapters/nft/nft-json.ts';

export type ModelElement = { readonly value: string; readonly comment: string };

export class NftModel {
  /** By "set key". */
  readonly elements = new Map<string, ModelElement>();
  /** Limit of each quota. */
  readonly quotas = new Map<string, number>();
  readonly rates = new Set<string>();

  /** @throws Error where the kernel would refuse, and where a command does nothing. */
  apply(commands: readonly NftCommand[]): void {
    for (const { add, delete: gone } of commands) {
      if (add !== undefined) this.#add(add);
      if (gone !== undefined) this.#delete(gone);
    }
  }

  #add({ element, quota, limit }: JsonObject): void {
    if (isObject(quota)) this.quotas.set(String(quota['name']), Number(quota['bytes']));
    if (isObject(limit)) this.rates.add(String(limit['name']));
    if (!isObject(element)) return;
    for (const { id, value, comment } of elementsOf(element)) {
      if (this.elements.has(id)) throw new Error(`${id} is there already`);
      if (!this.#canLeadTo(id, value)) throw new Error(`${id} leads to ${value}, which does not exist`);
      this.elements.set(id, { value, comment });
    }
  }

  #delete({ element, quota, limit }: JsonObject): void {
    if (isObject(quota)) this.#deleteObject(this.quotas, String(quota['name']));
    if (isObject(limit)) this.#deleteObject(this.rates, String(limit['name']));
    if (!isObject(element)) return;
    for (const { id, value } of elementsOf(element)) {
      if (this.elements.get(id)?.value !== value) throw new Error(`${id} ${value} is not there`);
      this.elements.delete(id);
    }
  }

  #deleteObject(objects: Map<string, number> | Set<string>, name: string): void {
    if (!objects.delete(name)) throw new Error(`${name} is not there`);
    for (const [id, { value }] of this.elements) if (value === name) throw new Error(`${name} is in use by ${id}`);
  }

  #canLeadTo(id: string, value: string): boolean {
    if (/^(up|down)[46] /.test(id)) return this.quotas.has(value);
    return !id.startsWith('rate_') || this.rates.has(value);
  }
}

function elementsOf(body: JsonObject): { readonly id: string; readonly value: string; readonly comment: string }[] {
  const set = String(body['name']);
  if (GRANT_SETS[set as GrantSet].family !== body['family']) throw new Error(`${set} is not in ${body['family']}`);
  return (isArray(body['elem']) ? body['elem'] : []).map((item) => {
    const [key, value] = isArray(item) ? item : [item, ''];
    const details = isObject(key) && isObject(key['elem']) ? key['elem'] : {};
    const id = `${set} ${textOf(details['val'] ?? key ?? null)}`;
    return { id, value: String(value), comment: String(details['comment'] ?? '') };
  });
}

function textOf(key: Json): string {
  if (isObject(key) && isArray(key['concat'])) return key['concat'].join(' ');
  if (typeof key !== 'string') throw new Error(`not a key: ${JSON.stringify(key)}`);
  return key;
}
