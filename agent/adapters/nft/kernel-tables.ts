/**
 * Brings our tables up and knows whether they still are what was brought up. What sessions have in them is read here
 * and handed on; changing it is the enforcer's business.
 */
import type { DeviceName, EnforcementPlan } from '../../core/model.ts';
import type { LinkReader } from './guest-links.ts';
import { type ListedSessions, listedSessions, rulesByChain, type TableState, tableState } from './installed.ts';
import { TABLE } from './layout.ts';
import { NftError } from './nft-error.ts';
import { isObject, isSameJson, type Json, type JsonObject, type NftCommand, type NftFamily } from './nft-json.ts';
import type { NftRunner } from './nft-runner.ts';
import { renderBridgeTable } from './render-bridge.ts';
import { quotaCommand } from './render-grant.ts';
import { renderInetTable, type TableFacts } from './render-table.ts';
import { installCommands, removeCommands, rewriteRulesCommands, type TableSpec } from './table-spec.ts';

/** What was found in the kernel, and what must go first in the transaction that puts sessions into it. */
export type TablesFound = ListedSessions & { readonly install: readonly NftCommand[] };

type TablesLog = { info(details: object, event: string): void; warn(details: object, event: string): void };

const NO_FACTS: TableFacts = {
  guestDevices: [],
  guestIndexes: [],
  guestPorts: [],
  portalPort: 0,
  hasRates: false,
  isStrict: false,
};

export class KernelTables {
  readonly #runner: NftRunner;
  readonly #log: TablesLog;
  readonly #linkOf: LinkReader;
  #hasBridge = true;
  #facts: TableFacts | undefined;
  /** Rules in nft's words right after we wrote them: another nft may word the same rule otherwise. */
  readonly #baseline = new Map<NftFamily, ReadonlyMap<string, Json>>();

  constructor(runner: NftRunner, linkOf: LinkReader, log: TablesLog) {
    this.#runner = runner;
    this.#linkOf = linkOf;
    this.#log = log;
  }

  /** Families in which we have a table; a kernel may have no nftables for bridges. */
  get families(): readonly NftFamily[] {
    return this.#hasBridge ? ['inet', 'bridge'] : ['inet'];
  }

  /**
   * Makes sure that our rules stand as the plan needs them.
   * @returns what was found, or undefined if there was no need to look.
   */
  async bringUp(plan: EnforcementPlan, isUnknown: boolean): Promise<TablesFound | undefined> {
    const hasRates =
      this.#facts?.hasRates === true || plan.grants.some(({ rate, isTrial }) => rate !== undefined && isTrial !== true);
    const { guestDevices, portalPort } = plan;
    const links = await this.#readLinks(guestDevices);
    const isStrict = this.#facts?.isStrict === true;
    const facts = { guestDevices, ...links, portalPort, hasRates, isStrict };
    if (!isUnknown && this.#facts !== undefined && isSameJson(facts, this.#facts)) return undefined;
    await this.#bringUpBridge(renderBridgeTable(facts));
    return await this.#bringUpInet(facts);
  }

  /** Remembers how nft words what was just installed. @throws NftError if it is not there. */
  async confirm(): Promise<void> {
    this.#baseline.clear();
    for (const spec of this.#specs()) {
      const listed = await this.#runner.listWithoutElements(spec.family, TABLE);
      const state = tableState(spec, listed);
      if (state.kind === 'missing' || state.kind === 'layout') {
        throw new NftError(`table ${spec.family} ${TABLE} is not what was installed: ${whatOf(state)}`, {
          code: 'NFT_BAD_ANSWER',
        });
      }
      this.#baseline.set(spec.family, rulesByChain(listed));
    }
  }

  /** A BSS that came or went changes the bridge, not the ruleset. */
  async hasSameLinks(): Promise<boolean> {
    if (this.#facts === undefined) return false;
    const { guestDevices, guestIndexes, guestPorts } = this.#facts;
    return isSameJson({ guestIndexes, guestPorts }, await this.#readLinks(guestDevices));
  }

  /** Reads the rules back and compares. */
  async isUnchanged(): Promise<boolean> {
    if (!(await this.hasSameLinks())) return false;
    for (const spec of this.#specs()) {
      const listed = await this.#runner.listWithoutElements(spec.family, TABLE);
      const state = tableState(spec, listed, this.#baseline.get(spec.family));
      if (state.kind === 'equal') continue;
      this.#log.warn({ family: spec.family, state: state.kind, what: whatOf(state) }, 'nft-rules-changed');
      return false;
    }
    return true;
  }

  /** A change that leaves nothing behind, for the monitor to see. Adding what exists would not even be told. */
  async poke(): Promise<void> {
    const chain = { family: 'inet', table: TABLE, name: 'poke' };
    const table = { family: 'inet', name: TABLE };
    await this.#runner.apply([{ add: { table } }, { add: { chain } }, { delete: { chain } }]);
  }

  async #bringUpInet(wanted: TableFacts): Promise<TablesFound> {
    let listed = await this.#list('inet');
    const hasRateMaps = listed.some((item) => isNamed(item['map'], 'rate_up'));
    const hadGap = this.#facts !== undefined && !this.#isEqual(this.#facts, listed) && !isLinkGone(this.#facts, wanted);
    if (wanted.hasRates && !hasRateMaps && listed.length > 0) listed = await this.#addRateMaps();
    const withRates = { ...wanted, hasRates: wanted.hasRates || hasRateMaps };
    // While the rules were gone a flow to where no guest may go can have come about; an earlier run may have known of one.
    const isStrict = wanted.isStrict || hadGap || this.#isEqual({ ...withRates, isStrict: true }, listed);
    const facts = { ...withRates, isStrict };
    const spec = renderInetTable(facts);
    const state = tableState(spec, listed);
    const parsed = listedSessions([...listed, ...(this.#hasBridge ? await this.#list('bridge') : [])]);
    this.#facts = facts;
    if (state.kind === 'missing' || state.kind === 'layout' || !parsed.isLegible) {
      return await this.#replace(state, parsed);
    }
    if (state.kind === 'rules') {
      this.#log.info({ what: state.what }, 'nft-rules-rewritten');
      await this.#runner.apply(rewriteRulesCommands(spec, state.strayChains));
    }
    return { ...parsed, install: [] };
  }

  /** Rate maps come into a table only when the first session is slowed down. */
  async #addRateMaps(): Promise<readonly JsonObject[]> {
    const { family, sets } = renderInetTable({ ...NO_FACTS, hasRates: true });
    const maps = sets.filter(({ name }) => name.startsWith('rate_'));
    await this.#runner.apply(installCommands({ family, sets: maps, counters: [], chains: [] }));
    return await this.#list('inet');
  }

  /**
   * The table is missing or not in the form that we know. What it may still let through is stopped by its quotas, whatever
   * else is in it; then its counters are final, and the new table goes on from them.
   */
  async #replace(state: TableState, parsed: ListedSessions): Promise<TablesFound> {
    this.#log.info({ state: state.kind, what: whatOf(state) }, 'nft-table-installed');
    let { readings } = parsed;
    if (parsed.quotas.length > 0) {
      await this.#runner.apply(parsed.quotas.map(({ sessionId, round }) => quotaCommand(sessionId, round, 0n, 0n)));
      ({ readings } = listedSessions(await this.#list('inet')));
    }

    return {
      sessions: new Map(),
      quotas: [],
      readings,
      strayElements: [],
      strayQuotas: [],
      strayRates: [],
      isLegible: true,
      install: this.#specs().flatMap((each) => [...removeCommands(each.family), ...installCommands(each)]),
    };
  }

  async #bringUpBridge(spec: TableSpec): Promise<void> {
    if (!this.#hasBridge) return;
    try {
      const state = tableState(spec, await this.#list('bridge'));
      if (state.kind === 'rules') await this.#runner.apply(rewriteRulesCommands(spec, state.strayChains));
      if (state.kind === 'missing') await this.#runner.apply(installCommands(spec));
      if (state.kind === 'layout') await this.#runner.apply([...removeCommands('bridge'), ...installCommands(spec)]);
    } catch (error) {
      if (!(error instanceof NftError) || error.code !== 'NFT_REFUSED') throw error;
      this.#hasBridge = false;
      this.#log.warn({ err: error, fix: 'install kmod-nft-bridge' }, 'nft-bridge-unsupported');
    }
  }

  async #readLinks(devices: readonly DeviceName[]): Promise<Pick<TableFacts, 'guestIndexes' | 'guestPorts'>> {
    const links = await Promise.all(devices.map(this.#linkOf));
    return {
      guestIndexes: devices.flatMap((device, i) => {
        const index = links[i]?.index;
        return index === undefined ? [] : [{ device, index }];
      }),
      guestPorts: links.flatMap(({ ports }) => ports),
    };
  }

  #isEqual(facts: TableFacts, listed: readonly JsonObject[]): boolean {
    return tableState(renderInetTable(facts), listed, this.#baseline.get('inet')).kind === 'equal';
  }

  #specs(): TableSpec[] {
    if (this.#facts === undefined) return [];
    return [renderInetTable(this.#facts), ...(this.#hasBridge ? [renderBridgeTable(this.#facts)] : [])];
  }

  async #list(family: NftFamily): Promise<readonly JsonObject[]> {
    return (await this.#runner.list({ table: { family, name: TABLE } })) ?? [];
  }
}

/** A device that was made anew leaves rules behind that name it by its old number: no gap, the rules by name stood. */
function isLinkGone(before: TableFacts, now: TableFacts): boolean {
  return !isSameJson(before.guestIndexes, now.guestIndexes);
}

function whatOf(state: TableState): string {
  return 'what' in state ? state.what : 'the table is missing';
}

function isNamed(body: Json | undefined, name: string): boolean {
  return isObject(body) && body['name'] === name;
}
