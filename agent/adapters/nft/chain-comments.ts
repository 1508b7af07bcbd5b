/** Comments of a chain's rules, whoever made it: by them a rule that another program loads for us is found. */
import { type NftPlace, runNft } from './nft-child.ts';
import { NftError } from './nft-error.ts';
import { isObject } from './nft-json.ts';
import { objectsFromAnswer } from './nft-runner.ts';

export type ChainName = { readonly family: string; readonly table: string; readonly chain: string };

/** @returns undefined if there is no such chain. @throws NftError if nft cannot be run or refuses. */
export async function readChainComments(place: NftPlace, name: ChainName): Promise<readonly string[] | undefined> {
  const { family, table, chain } = name;
  try {
    const { stdout } = await runNft(place, ['-j', 'list', 'chain', family, table, chain]);
    return objectsFromAnswer(stdout).flatMap(({ rule }) => {
      const comment = isObject(rule) ? rule['comment'] : undefined;
      return typeof comment === 'string' ? [comment] : [];
    });
  } catch (error) {
    if (error instanceof NftError && error.stderr.includes('No such file or directory')) return undefined;
    throw error;
  }
}
