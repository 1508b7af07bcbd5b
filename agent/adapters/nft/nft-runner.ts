/**
 * Hands transactions and questions to nft, one after the other. Small ones go through the dialogue if this nft has one
 * (OpenWrt builds it without), large ones and all others through a file: nft cannot read its stdin from Node.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NftPlace, runNft } from './nft-child.ts';
import { NftDialogue } from './nft-dialogue.ts';
import { NftError } from './nft-error.ts';
import { isArray, isObject, type Json, type JsonObject, type NftCommand, type NftFamily } from './nft-json.ts';

/** The line editor inside nft takes 1.4 us a character; beyond this a process of its own (10 ms) is quicker. */
const MAX_DIALOGUE_CHARS = 6_144;
/** How many of our latest processes are remembered, to know our own transactions in the monitor. */
const MAX_REMEMBERED_PIDS = 64;

export class NftRunner {
  readonly #place: NftPlace;
  readonly #pids: number[] = [];
  #dialogue: NftDialogue | undefined;
  #hasTriedDialogue = false;
  #files = 0;

  constructor(place: NftPlace) {
    this.#place = place;
  }

  /** One transaction: all of it or nothing. @throws NftError; NFT_REFUSED means that nothing changed. */
  async apply(commands: readonly NftCommand[]): Promise<void> {
    if (commands.length === 0) return;
    const document = JSON.stringify({ nftables: commands });
    const dialogue = document.length <= MAX_DIALOGUE_CHARS ? await this.#openDialogue() : undefined;
    if (dialogue === undefined) {
      await this.#runFile(document);
      return;
    }
    const lines = await this.#ask(dialogue, document);
    if (lines.length > 0)
      throw new NftError('nft refused the transaction', { code: 'NFT_REFUSED', stderr: lines.join('\n') });
  }

  /** What nft lists, without its version; undefined if there is no such thing. */
  async list(what: JsonObject): Promise<readonly JsonObject[] | undefined> {
    const document = JSON.stringify({ nftables: [{ list: what }] });
    const dialogue = await this.#openDialogue();
    try {
      const text =
        dialogue === undefined ? await this.#runFile(document) : (await this.#ask(dialogue, document)).join('\n');
      return objectsFromAnswer(text);
    } catch (error) {
      if (isMissingObject(error)) return undefined;
      throw error;
    }
  }

  /** A table's chains, rules and empty sets, however many elements it holds; nothing if there is no such table. */
  async listWithoutElements(family: NftFamily, table: string): Promise<readonly JsonObject[]> {
    try {
      const { stdout } = await runNft(this.#place, ['-j', '-t', 'list', 'table', family, table]);
      return objectsFromAnswer(stdout);
    } catch (error) {
      if (isMissingObject(error)) return [];
      throw error;
    }
  }

  /** True if a transaction in the monitor was made by this runner. */
  isOwn(pid: number): boolean {
    return this.#pids.includes(pid);
  }

  close(): void {
    this.#dialogue?.close();
    this.#dialogue = undefined;
    this.#hasTriedDialogue = true;
  }

  async #ask(dialogue: NftDialogue, document: string): Promise<readonly string[]> {
    const answer = dialogue.ask(document);
    this.#remember(dialogue.pid);
    return await answer;
  }

  async #openDialogue(): Promise<NftDialogue | undefined> {
    if (this.#hasTriedDialogue) return this.#dialogue;
    this.#hasTriedDialogue = true;
    const dialogue = new NftDialogue(this.#place);
    try {
      await this.#ask(dialogue, '{"nftables":[{"list":{"tables":{"family":"arp"}}}]}');
      this.#dialogue = dialogue;
    } catch (error) {
      dialogue.close();
      if (!(error instanceof NftError) || error.code === 'NFT_MISSING') throw error;
    }
    return this.#dialogue;
  }

  async #runFile(document: string): Promise<string> {
    await mkdir(this.#place.runtimeDir, { recursive: true, mode: 0o700 });
    this.#files += 1;
    const file = join(this.#place.runtimeDir, `nft-${process.pid}-${this.#files}.json`);
    try {
      await writeFile(file, document, { mode: 0o600, flag: 'wx' });
      const { stdout } = await runNft(this.#place, ['-j', '-f', file], (pid) => this.#remember(pid));
      return stdout;
    } finally {
      await rm(file, { force: true });
    }
  }

  #remember(pid: number | undefined): void {
    if (pid === undefined || this.#pids.at(-1) === pid) return;
    this.#pids.push(pid);
    if (this.#pids.length > MAX_REMEMBERED_PIDS) this.#pids.shift();
  }
}

function isMissingObject(error: unknown): boolean {
  return error instanceof NftError && error.code === 'NFT_REFUSED' && /No such file or directory/.test(error.stderr);
}

/** Objects of an answer, without nft's version. */
export function objectsFromAnswer(text: string): readonly JsonObject[] {
  if (!text.startsWith('{')) throw new NftError('nft refused the question', { code: 'NFT_REFUSED', stderr: text });
  let answer: Json;
  try {
    answer = JSON.parse(text) as Json;
  } catch (error) {
    throw new NftError(`nft answered what is not JSON: ${text.slice(0, 200)}`, {
      code: 'NFT_BAD_ANSWER',
      cause: error,
    });
  }
  const items = isObject(answer) ? answer['nftables'] : undefined;
  if (!isArray(items))
    throw new NftError('nft answered without a list', { code: 'NFT_BAD_ANSWER', stderr: text.slice(0, 200) });
  return items.filter(isObject).filter((item) => !Object.hasOwn(item, 'metainfo'));
}
